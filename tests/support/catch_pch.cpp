// SPDX-License-Identifier: Apache-2.0
// Owns the precompiled <catch2/catch.hpp> that all test programs share.
