// libFuzzer has a main function, but the package manager makes `main` another name of WireFuzz_main.
#include "CFuzzer.h"

#include <stddef.h>
#include <stdint.h>

extern int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);
extern int LLVMFuzzerRunDriver(int *count, char ***arguments,
                               int (*check)(const uint8_t *bytes, size_t count));

int WireFuzz_main(int count, char **arguments) {
    return LLVMFuzzerRunDriver(&count, &arguments, LLVMFuzzerTestOneInput);
}
