// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/runtime/erased_detector.hpp>

#ifndef ANODIFF_PRESETS_COMPILED  // without the library anodiff::presets the methods are compiled here
#include <anodiff/runtime/names.hpp>
#endif
