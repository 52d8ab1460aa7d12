// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/engines/reference.hpp>

namespace anodiff::test {

using plain_engine = reference_engine;

}  // namespace anodiff::test
