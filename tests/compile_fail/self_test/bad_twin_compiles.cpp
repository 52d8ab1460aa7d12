// expect-error: planted
// SPDX-License-Identifier: Apache-2.0
