/* SPDX-License-Identifier: BSD-2-Clause */
/* Who may read, write and execute a page: all rights, in each paging mode, with each setting. */
/* UNITS: vcpu/paging.c vcpu/vm_memory.c tests/fake/one_walk.c tests/fake/guest_memory.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/fake/one_walk.h"

/* SDM "Determination of Access Rights", sentence by sentence, for one set of rights. */
static bool may(bool writable, bool user_page, bool no_execute, struct paging_access access)
{
	bool wp = paging.cr0 & CR0_WP, smap = paging.cr4 & CR4_SMAP, ac = paging.rflags & RFLAGS_AC;
	bool smep = paging.cr4 & CR4_SMEP, nxe = paging.efer & EFER_NXE;

	if (!access.user && access.fetch) {
		if (user_page && smep)
			return false;
		return !(nxe && no_execute);
	}
	if (!access.user && !access.write)
		return !user_page || !smap || ac;
	if (!access.user) {
		if (user_page && smap && !ac)
			return false;
		return !wp || writable;
	}
	if (!user_page)
		return false;
	if (access.fetch)
		return !(nxe && no_execute);
	return !access.write || writable;
}

static uint64_t code_for(struct paging_access access)
{
	bool nx_works = paging.efer & EFER_NXE && paging.cr4 & CR4_PAE;
	uint64_t code = PF_ERROR_PRESENT;

	if (access.write)
		code |= PF_ERROR_WRITE;
	if (access.user)
		code |= PF_ERROR_USER;
	if (access.fetch && (nx_works || paging.cr4 & CR4_SMEP))
		code |= PF_ERROR_FETCH;
	return code;
}

/* All rights of two levels, all kinds of access, all settings of the processor. */
static void check_rights(const struct one_walk *easy_one, unsigned rights, unsigned settings)
{
	static const struct paging_access accesses[] = {
		{false, false, false},
                {true,  false, false},
                {false, true,  false},
		{false, false, true },
                {true,  false, true },
                {false, true,  true },
	};
	struct one_walk w = *easy_one;
	unsigned other = w.top == w.leaf ? w.leaf : w.leaf + 1;
	uint64_t both[2] = {(rights & 1 ? W : 0) | (rights & 2 ? U : 0) | (rights & 4 ? NX : 0),
			    (rights & 8 ? W : 0) | (rights & 16 ? U : 0) | (rights & 32 ? NX : 0)};

	if (w.entry_size == 4 && rights & 0x24)
		return;
	if (other == w.leaf)
		both[1] = both[0];
	w.entries[w.leaf] = (w.entries[w.leaf] & ~(W | U)) | both[0];
	w.entries[other] = (w.entries[other] & ~(W | U | NX)) | both[1];
	for (size_t i = 0; i < sizeof(accesses) / sizeof(accesses[0]); i++) {
		prepare(&w);
		paging.cr0 = CR0_PE | CR0_PG | (settings & 1 ? CR0_WP : 0);
		paging.cr4 |= (settings & 2 ? CR4_SMEP : 0) | (settings & 4 ? CR4_SMAP : 0);
		paging.rflags = settings & 8 ? RFLAGS_AC : 0;
		if (w.entry_size == 4 && settings & 16)
			paging.efer = EFER_NXE; /* without PAE it means nothing */
		if (may(both[0] & both[1] & W, both[0] & both[1] & U, (both[0] | both[1]) & NX,
			accesses[i]))
			expect_page(&w, accesses[i], w.entries[w.leaf] & 0xffffffe000);
		else
			expect_fault(&w, accesses[i], code_for(accesses[i]));
	}
}

static void rights(void **state)
{
	static const struct {
		enum mode mode;
		unsigned leaf;
	} some[] = {
		{MODE_32,     1},
                {MODE_32_PSE, 2},
                {MODE_PAE,    1},
		{MODE_PAE,    2},
                {MODE_4LEVEL, 1},
                {MODE_4LEVEL, 3},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
		struct one_walk w = easy(some[i].mode, some[i].leaf, 0x40000000);

		for (unsigned set = 0; set < 64; set++)
			for (unsigned settings = 0; settings < 32; settings++)
				check_rights(&w, set, settings);
	}
}

/* SDM "Protection Keys" */
static void protection_keys(void **state)
{
	struct one_walk w = easy(MODE_4LEVEL, 1, 0x5000);

	(void)state;
	for (unsigned n = 0; n < 256; n++) {
		bool deny = n & 1, deny_write = n & 2, user_page = n & 4, wp = n & 8;
		struct paging_access access = {.write = n & 16, .user = n & 32, .fetch = n & 64};
		bool on = n & 128, good, key_good;
		uint64_t code;

		if (access.write && access.fetch)
			continue;
		w.entries[1] = 0x5000 | P | W | (user_page ? U : 0) | 11ull << 59;
		prepare(&w);
		paging.cr4 |= on ? CR4_PKE : 0;
		paging.cr0 = CR0_PE | CR0_PG | (wp ? CR0_WP : 0);
		/* All other keys say the opposite. */
		paging.pkru = ~(3u << 22) | (deny ? 1u << 22 : 0) | (deny_write ? 2u << 22 : 0);
		key_good = !on || !user_page || access.fetch ||
			   !(deny || (deny_write && access.write && (wp || access.user)));
		good = may(true, user_page, false, access);
		code = code_for(access) | (key_good ? 0 : PF_ERROR_PK);
		if (good && key_good)
			expect_page(&w, access, 0x5000);
		else
			expect_fault(&w, access, code);
	}
}

/* A key denies beside other rights, and the error code says both. */
static void keys_beside_other_rights(void **state)
{
	struct one_walk w = easy(MODE_4LEVEL, 1, 0x5000);

	(void)state;
	w.entries[1] = 0x5000 | P | U;
	prepare(&w);
	paging.cr4 |= CR4_PKE;
	paging.pkru = 2;
	expect_fault(&w, user_write,
		     PF_ERROR_PRESENT | PF_ERROR_WRITE | PF_ERROR_USER | PF_ERROR_PK);
	paging.pkru = 0;
	expect_fault(&w, user_write, PF_ERROR_PRESENT | PF_ERROR_WRITE | PF_ERROR_USER);
}

/* Outside IA-32e mode there are no keys. */
static void no_keys_in_pae_paging(void **state)
{
	struct one_walk w = easy(MODE_PAE, 1, 0x5000);

	(void)state;
	prepare(&w);
	paging.cr4 |= CR4_PKE;
	paging.pkru = ~0u;
	expect_page(&w, user_write, 0x5000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rights),
		cmocka_unit_test(protection_keys),
		cmocka_unit_test(keys_beside_other_rights),
		cmocka_unit_test(no_keys_in_pae_paging),
	};

	return cmocka_run_group_tests_name("paging_rights", tests, make_memory, NULL);
}
