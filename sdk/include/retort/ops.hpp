#pragma once

// The ATen operators that are part of the contract: the host guarantees their name, overload and
// argument order on every LibTorch it supports. Any other operator can be called by name: see
// Operator in tensor.hpp.
#include "retort/ops/network.hpp"
#include "retort/ops/pointwise.hpp"
#include "retort/ops/reduce.hpp"
#include "retort/ops/shape.hpp"
