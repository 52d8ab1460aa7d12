// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/runtime/erased_picture_detector.hpp>

#ifndef ANODIFF_PRESETS_COMPILED  // without the library anodiff::presets the methods are compiled here
#include <anodiff/runtime/picture_names.hpp>
#endif
