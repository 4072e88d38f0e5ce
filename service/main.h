// kappa/service/main.h: the whole command line, for the `kappa` program and for a user's own.
//
// Example:  int main(int argc, char** argv) { return kappa::main(argc, argv, hot_bidders()); }
#pragma once

#include "kappa/engine/graph.h"

namespace kappa {

/// The program `kappa`: commands take a PIPELINE.sql.
int main(int argc, char** argv);
/// A user's own program: the same commands over `graph`, without the PIPELINE argument.
/// Returns the exit code: 0 done, 1 differs, 2 usage, 3 refused, 4 failed, 130 or 143 signalled.
int main(int argc, char** argv, Graph graph);

}  // namespace kappa
