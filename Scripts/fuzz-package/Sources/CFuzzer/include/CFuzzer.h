// The main function of WireFuzz, under the name that the package manager gives it.
#ifndef CFUZZER_H
#define CFUZZER_H

/// Runs libFuzzer on LLVMFuzzerTestOneInput as the arguments say; returns the exit status.
int WireFuzz_main(int count, char **arguments);

#endif
