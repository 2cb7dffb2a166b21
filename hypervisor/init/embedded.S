/* The bytes of the hypervisor's /init, between a start and an end symbol. */
    .section .rodata
    .balign 16
    .global domsmith_host_init_start, domsmith_host_init_end
domsmith_host_init_start:
    .incbin HOST_INIT_PROGRAM
domsmith_host_init_end:
    .section .note.GNU-stack, "", @progbits
