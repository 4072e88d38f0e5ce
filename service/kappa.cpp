#include "kappa/service/main.h"

int main(int argc, char** argv) { return kappa::main(argc, argv); }
