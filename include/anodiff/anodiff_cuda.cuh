// SPDX-License-Identifier: Apache-2.0
#pragma once

// What needs nvcc (-std=c++20 --expt-relaxed-constexpr). Host code stays in files of its own, with anodiff.hpp.
#include <anodiff/engines/cublas.cuh>
#include <anodiff/engines/cuda.cuh>
#include <anodiff/models/mlp.cuh>
#include <anodiff/pipeline/denoising_graphs.cuh>
#include <anodiff/pipeline/resident_trainer.cuh>
