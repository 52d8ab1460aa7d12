// SPDX-License-Identifier: Apache-2.0
#include <anodiff/methods/anoddpm.hpp>
#include <anodiff/methods/ddpm_image.hpp>
#include <anodiff/methods/mddpm.hpp>
#include <anodiff/methods/pddpm.hpp>
#include <anodiff/runtime/erased_pictures.hpp>

namespace anodiff::detail {

using pictures_made = std::unique_ptr<erased_picture_detector>;
template pictures_made make_erased_pictures<methods::anoddpm<cpu_engine>>(const text_fields&, const cpu_engine&);
template pictures_made make_erased_pictures<methods::ddpm_image<cpu_engine>>(const text_fields&, const cpu_engine&);
template pictures_made make_erased_pictures<methods::mddpm<cpu_engine>>(const text_fields&, const cpu_engine&);
template pictures_made make_erased_pictures<methods::pddpm<cpu_engine>>(const text_fields&, const cpu_engine&);

}  // namespace anodiff::detail
