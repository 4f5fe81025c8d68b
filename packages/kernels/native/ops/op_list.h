// op_list.h -- every native op, one line each: the registry of each instruction set is made from this list.
// ESPALIER_OP(name) stands for `extern const OpKernel name_kernel` in namespace espalier::ESPALIER_ISA.
ESPALIER_OP(adamw)
