// expect-error: planted
// SPDX-License-Identifier: Apache-2.0
#ifndef ANODIFF_GOOD
static_assert(false, "other");
#endif
