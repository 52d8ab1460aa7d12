// SPDX-License-Identifier: Apache-2.0
#define ANODIFF_COMPILING_PRESETS
#include <anodiff/runtime/picture_names.hpp>
