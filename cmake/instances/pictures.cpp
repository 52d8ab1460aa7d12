// SPDX-License-Identifier: Apache-2.0
#include <anodiff/methods/image_default.hpp>
#include <anodiff/runtime/erased_pictures.hpp>

namespace anodiff::detail {

using pictures_made = std::unique_ptr<erased_picture_detector>;
template pictures_made make_erased_pictures<methods::image_default<cpu_engine>>(const text_fields&, const cpu_engine&);

}  // namespace anodiff::detail
