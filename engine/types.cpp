#include "kappa/engine/types.h"

namespace kappa {

std::string to_string(Type type) {
  switch (type.kind) {
    case TypeKind::boolean: return "boolean";
    case TypeKind::bigint: return "bigint";
    case TypeKind::float64: return "double precision";
    case TypeKind::numeric: return "numeric(" + std::to_string(type.precision) + "," + std::to_string(type.scale) + ")";
    case TypeKind::text: return "text";
    case TypeKind::bytea: return "bytea";
    case TypeKind::timestamptz: return "timestamptz";
    case TypeKind::interval: return "interval";
  }
  return "?";
}

}  // namespace kappa
