// expect-error: planted
// SPDX-License-Identifier: Apache-2.0
static_assert(false, "planted");
