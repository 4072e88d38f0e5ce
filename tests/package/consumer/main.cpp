#include <cstdio>

#include "kappa/engine/batch.h"

int main() {
  const kappa::Batch batch = kappa::make_batch(3);
  std::printf("a batch of %lld rows\n", static_cast<long long>(batch.rows));
  return batch.rows == 3 ? 0 : 1;
}
