/* The bytes of the two static programs, between a start and an end symbol each. */
    .section .rodata
    .balign 16
    .global domsmith_agent_program_start, domsmith_agent_program_end
domsmith_agent_program_start:
    .incbin AGENT_PROGRAM
domsmith_agent_program_end:
    .balign 16
    .global domsmith_init_program_start, domsmith_init_program_end
domsmith_init_program_start:
    .incbin INIT_PROGRAM
domsmith_init_program_end:
    .section .note.GNU-stack, "", @progbits
