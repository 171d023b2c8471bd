# gradient_float: floating-point arithmetic as written. g++ contracts a*b+c into FMA by default, which would change
# digests; -march is never set for a whole target: a kernel that needs an instruction set says so itself
# (function attribute or a flag on its one file) and is chosen at run time.
add_library(gradient_float INTERFACE)
target_compile_options(gradient_float INTERFACE -ffp-contract=off -fno-fast-math)
