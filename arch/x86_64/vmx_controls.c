/* SPDX-License-Identifier: BSD-2-Clause */
/* The names of the bits of the VMX control words. */
#include "arch/x86_64/vmx_controls.h"

#include "kernel/compiler.h"

static const struct vmx_control_bit pin_bits[] = {
	{PIN_EXTERNAL_INTERRUPT_EXITING, "external-interrupt exiting"   },
	{PIN_NMI_EXITING,                "NMI exiting"                  },
	{PIN_VIRTUAL_NMIS,               "virtual NMIs"                 },
	{PIN_PREEMPTION_TIMER,           "activate VMX-preemption timer"},
	{PIN_POSTED_INTERRUPTS,          "process posted interrupts"    },
};

static const struct vmx_control_bit primary_bits[] = {
	{PRIMARY_INTERRUPT_WINDOW_EXITING, "interrupt-window exiting"   },
	{PRIMARY_TSC_OFFSETTING,           "use TSC offsetting"         },
	{PRIMARY_HLT_EXITING,              "HLT exiting"                },
	{PRIMARY_INVLPG_EXITING,           "INVLPG exiting"             },
	{PRIMARY_MWAIT_EXITING,            "MWAIT exiting"              },
	{PRIMARY_RDPMC_EXITING,            "RDPMC exiting"              },
	{PRIMARY_RDTSC_EXITING,            "RDTSC exiting"              },
	{PRIMARY_CR3_LOAD_EXITING,         "CR3-load exiting"           },
	{PRIMARY_CR3_STORE_EXITING,        "CR3-store exiting"          },
	{PRIMARY_ACTIVATE_TERTIARY,        "activate tertiary controls" },
	{PRIMARY_CR8_LOAD_EXITING,         "CR8-load exiting"           },
	{PRIMARY_CR8_STORE_EXITING,        "CR8-store exiting"          },
	{PRIMARY_TPR_SHADOW,               "use TPR shadow"             },
	{PRIMARY_NMI_WINDOW_EXITING,       "NMI-window exiting"         },
	{PRIMARY_MOV_DR_EXITING,           "MOV-DR exiting"             },
	{PRIMARY_UNCONDITIONAL_IO_EXITING, "unconditional I/O exiting"  },
	{PRIMARY_IO_BITMAPS,               "use I/O bitmaps"            },
	{PRIMARY_MONITOR_TRAP_FLAG,        "monitor trap flag"          },
	{PRIMARY_MSR_BITMAPS,              "use MSR bitmaps"            },
	{PRIMARY_MONITOR_EXITING,          "MONITOR exiting"            },
	{PRIMARY_PAUSE_EXITING,            "PAUSE exiting"              },
	{PRIMARY_ACTIVATE_SECONDARY,       "activate secondary controls"},
};

static const struct vmx_control_bit secondary_bits[] = {
	{SECONDARY_VIRTUALIZE_APIC_ACCESSES, "virtualize APIC accesses"          },
	{SECONDARY_EPT,                      "enable EPT"                        },
	{SECONDARY_DESCRIPTOR_TABLE_EXITING, "descriptor-table exiting"          },
	{SECONDARY_RDTSCP,                   "enable RDTSCP"                     },
	{SECONDARY_VIRTUALIZE_X2APIC,        "virtualize x2APIC mode"            },
	{SECONDARY_VPID,                     "enable VPID"                       },
	{SECONDARY_WBINVD_EXITING,           "WBINVD exiting"                    },
	{SECONDARY_UNRESTRICTED_GUEST,       "unrestricted guest"                },
	{SECONDARY_APIC_REGISTERS,           "APIC-register virtualization"      },
	{SECONDARY_VIRTUAL_INTERRUPTS,       "virtual-interrupt delivery"        },
	{SECONDARY_PAUSE_LOOP_EXITING,       "PAUSE-loop exiting"                },
	{SECONDARY_RDRAND_EXITING,           "RDRAND exiting"                    },
	{SECONDARY_INVPCID,                  "enable INVPCID"                    },
	{SECONDARY_VM_FUNCTIONS,             "enable VM functions"               },
	{SECONDARY_VMCS_SHADOWING,           "VMCS shadowing"                    },
	{SECONDARY_ENCLS_EXITING,            "enable ENCLS exiting"              },
	{SECONDARY_RDSEED_EXITING,           "RDSEED exiting"                    },
	{SECONDARY_PML,                      "enable PML"                        },
	{SECONDARY_EPT_VIOLATION_VE,         "EPT-violation #VE"                 },
	{SECONDARY_CONCEAL_VMX_FROM_PT,      "conceal VMX from PT"               },
	{SECONDARY_XSAVES,                   "enable XSAVES/XRSTORS"             },
	{SECONDARY_PASID_TRANSLATION,        "PASID translation"                 },
	{SECONDARY_MODE_BASED_EXECUTE,       "mode-based execute control for EPT"},
	{SECONDARY_SUB_PAGE_WRITE,           "sub-page write permissions for EPT"},
	{SECONDARY_PT_GUEST_PHYSICAL,        "PT uses guest physical addresses"  },
	{SECONDARY_TSC_SCALING,              "use TSC scaling"                   },
	{SECONDARY_USER_WAIT_PAUSE,          "enable user wait and pause"        },
	{SECONDARY_PCONFIG,                  "enable PCONFIG"                    },
	{SECONDARY_ENCLV_EXITING,            "enable ENCLV exiting"              },
	{SECONDARY_BUS_LOCK_DETECTION,       "VMM bus-lock detection"            },
	{SECONDARY_INSTRUCTION_TIMEOUT,      "instruction timeout"               },
};

static const struct vmx_control_bit tertiary_bits[] = {
	{TERTIARY_LOADIWKEY_EXITING,         "LOADIWKEY exiting"           },
	{TERTIARY_HLAT,                      "enable HLAT"                 },
	{TERTIARY_EPT_PAGING_WRITE,          "EPT paging-write control"    },
	{TERTIARY_GUEST_PAGING_VERIFICATION, "guest-paging verification"   },
	{TERTIARY_IPI_VIRTUALIZATION,        "IPI virtualization"          },
	{TERTIARY_MSR_LIST,                  "enable MSR-list instructions"},
	{TERTIARY_VIRTUALIZE_SPEC_CTRL,      "virtualize IA32_SPEC_CTRL"   },
};

static const struct vmx_control_bit exit_bits[] = {
	{EXIT_SAVE_DEBUG_CONTROLS,     "save debug controls"            },
	{EXIT_HOST_ADDRESS_SPACE_SIZE, "host address-space size"        },
	{EXIT_LOAD_PERF_GLOBAL_CTRL,   "load IA32_PERF_GLOBAL_CTRL"     },
	{EXIT_ACKNOWLEDGE_INTERRUPT,   "acknowledge interrupt on exit"  },
	{EXIT_SAVE_PAT,                "save IA32_PAT"                  },
	{EXIT_LOAD_PAT,                "load IA32_PAT"                  },
	{EXIT_SAVE_EFER,               "save IA32_EFER"                 },
	{EXIT_LOAD_EFER,               "load IA32_EFER"                 },
	{EXIT_SAVE_PREEMPTION_TIMER,   "save VMX-preemption timer value"},
	{EXIT_CLEAR_BNDCFGS,           "clear IA32_BNDCFGS"             },
	{EXIT_CONCEAL_VMX_FROM_PT,     "conceal VMX from PT"            },
	{EXIT_CLEAR_RTIT_CTL,          "clear IA32_RTIT_CTL"            },
	{EXIT_CLEAR_LBR_CTL,           "clear IA32_LBR_CTL"             },
	{EXIT_CLEAR_UINV,              "clear UINV"                     },
	{EXIT_LOAD_CET,                "load CET state"                 },
	{EXIT_LOAD_PKRS,               "load PKRS"                      },
	{EXIT_SAVE_PERF_GLOBAL_CTRL,   "save IA32_PERF_GLOBAL_CTRL"     },
	{EXIT_ACTIVATE_SECONDARY,      "activate secondary controls"    },
};

static const struct vmx_control_bit exit2_bits[] = {
	{EXIT2_SAVE_FRED,         "save FRED state"              },
	{EXIT2_LOAD_FRED,         "load FRED state"              },
	{EXIT2_BUSY_SHADOW_STACK, "prematurely busy shadow stack"},
};

static const struct vmx_control_bit entry_bits[] = {
	{ENTRY_LOAD_DEBUG_CONTROLS,     "load debug controls"              },
	{ENTRY_IA32E_MODE_GUEST,        "IA-32e mode guest"                },
	{ENTRY_TO_SMM,                  "entry to SMM"                     },
	{ENTRY_DEACTIVATE_DUAL_MONITOR, "deactivate dual-monitor treatment"},
	{ENTRY_LOAD_PERF_GLOBAL_CTRL,   "load IA32_PERF_GLOBAL_CTRL"       },
	{ENTRY_LOAD_PAT,                "load IA32_PAT"                    },
	{ENTRY_LOAD_EFER,               "load IA32_EFER"                   },
	{ENTRY_LOAD_BNDCFGS,            "load IA32_BNDCFGS"                },
	{ENTRY_CONCEAL_VMX_FROM_PT,     "conceal VMX from PT"              },
	{ENTRY_LOAD_RTIT_CTL,           "load IA32_RTIT_CTL"               },
	{ENTRY_LOAD_UINV,               "load UINV"                        },
	{ENTRY_LOAD_CET,                "load CET state"                   },
	{ENTRY_LOAD_LBR_CTL,            "load guest IA32_LBR_CTL"          },
	{ENTRY_LOAD_PKRS,               "load PKRS"                        },
	{ENTRY_LOAD_FRED,               "load FRED state"                  },
};

const struct vmx_control_names vmx_control_names[VMX_CONTROL_WORD_COUNT] = {
	[VMX_PIN] = {"pin-based controls",                 pin_bits,       ARRAY_COUNT(pin_bits)  },
	[VMX_PRIMARY] = {"primary processor-based controls",   primary_bits,
                     ARRAY_COUNT(primary_bits)						    },
	[VMX_SECONDARY] = {"secondary processor-based controls", secondary_bits,
                     ARRAY_COUNT(secondary_bits)                                                  },
	[VMX_TERTIARY] = {"tertiary processor-based controls",  tertiary_bits,
                     ARRAY_COUNT(tertiary_bits)                                                   },
	[VMX_EXIT] = {"VM-exit controls",                   exit_bits,      ARRAY_COUNT(exit_bits) },
	[VMX_EXIT2] = {"secondary VM-exit controls",         exit2_bits,     ARRAY_COUNT(exit2_bits)},
	[VMX_ENTRY] = {"VM-entry controls",                  entry_bits,     ARRAY_COUNT(entry_bits)},
};

const char *vmx_control_name(enum vmx_control_word word, uint64_t mask)
{
	const struct vmx_control_names *names = &vmx_control_names[word];

	for (size_t i = 0; i < names->bit_count; i++) {
		if (names->bits[i].mask == mask)
			return names->bits[i].name;
	}
	return "reserved";
}
