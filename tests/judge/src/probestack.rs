//! A symbol that wasmer of that time took from the standard library, which has it no more.
//!
//! A function with a frame of more than a page calls it with the size of the frame in `rax`, before it moves the stack
//! pointer: each page is to be touched, so that a stack that is too small is noticed at its guard page.

#[cfg(target_arch = "x86_64")]
core::arch::global_asm!(
    ".globl __rust_probestack",
    "__rust_probestack:",
    "push rax",
    "mov r11, rsp",
    "2:",
    "sub r11, 4096",
    "test qword ptr [r11], rsp",
    "sub rax, 4096",
    "ja 2b",
    "pop rax",
    "ret",
);
