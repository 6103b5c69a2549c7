/* SPDX-License-Identifier: BSD-2-Clause */
/* Processors made from the file of recorded capability MSRs. */
#include "tests/fake/processor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/x86_64/msr.h"

#define MODELS_MAX 16
#define MSRS_MAX   32
#define MODEL_FILE "tests/unit/vmx-capabilities.txt"

struct msr_value {
	uint32_t msr;
	bool faults;
	uint64_t value;
	unsigned reads;
};

struct model {
	char name[64];
	struct msr_value msrs[MSRS_MAX];
	unsigned msr_count;
};

static struct model models[MODELS_MAX];
static unsigned model_count;

static struct model now;
static struct cpuid_result basic[8], extended[2], hypervisor;
static char no_value[2];

static void fail(const char *what, const char *which)
{
	fprintf(stderr, "tests/fake/processor.c: %s: %s\n", what, which);
	abort();
}

static struct msr_value *find(struct model *model, uint32_t msr)
{
	for (unsigned i = 0; i < model->msr_count; i++) {
		if (model->msrs[i].msr == msr)
			return &model->msrs[i];
	}
	return NULL;
}

static struct msr_value *add(struct model *model, uint32_t msr)
{
	struct msr_value *m = find(model, msr);

	if (m)
		return m;
	if (model->msr_count == MSRS_MAX)
		fail("too many MSRs", model->name);
	m = &model->msrs[model->msr_count++];
	*m = (struct msr_value){.msr = msr};
	return m;
}

static void read_line(const char *line)
{
	struct model *model = model_count ? &models[model_count - 1] : NULL;
	unsigned long long value;
	struct msr_value *m;
	char name[64];
	unsigned msr;

	if (sscanf(line, "%63s FEATURE_CONTROL=%llx", name, &value) == 2) {
		if (model_count == MODELS_MAX)
			fail("too many models", name);
		model = &models[model_count++];
		strcpy(model->name, name);
		add(model, IA32_FEATURE_CONTROL)->value = value;
	} else if (model && sscanf(line, " %x:%1[G]", &msr, no_value) == 2) {
		add(model, msr)->faults = true;
	} else if (model && sscanf(line, " %x:%llx", &msr, &value) == 2) {
		m = add(model, msr);
		m->value = value;
	}
}

static void read_models(void)
{
	FILE *file;
	char line[256];

	if (model_count)
		return;
	file = fopen(MODEL_FILE, "r");
	if (!file)
		fail("cannot open (run from the top folder)", MODEL_FILE);
	while (fgets(line, sizeof(line), file)) {
		if (line[0] != '#')
			read_line(line);
	}
	fclose(file);
	if (!model_count)
		fail("no models", MODEL_FILE);
}

const char *processor_name(unsigned number)
{
	read_models();
	return number < model_count ? models[number].name : NULL;
}

void processor_load(const char *name)
{
	unsigned i;

	read_models();
	for (i = 0; i < model_count && !strstr(models[i].name, name); i++)
		;
	if (i == model_count)
		fail("no such model", name);
	now = models[i];
	memset(basic, 0, sizeof(basic));
	memset(extended, 0, sizeof(extended));
	memset(&hypervisor, 0, sizeof(hypervisor));
	basic[0].eax = 7;
	extended[0].eax = 0x80000001;
	processor_set_vendor("GenuineIntel");
	processor_set_feature(CPUID_VMX, true);
}

void processor_set_msr(uint32_t msr, uint64_t value)
{
	struct msr_value *m = add(&now, msr);

	m->faults = false;
	m->value = value;
}

void processor_remove_msr(uint32_t msr)
{
	add(&now, msr)->faults = true;
}

uint64_t processor_msr(uint32_t msr)
{
	struct msr_value *m = find(&now, msr);

	if (!m || m->faults)
		fail("no such MSR", now.name);
	return m->value;
}

static struct cpuid_result *leaf_of(uint32_t leaf)
{
	static struct cpuid_result none;

	if (leaf < 8)
		return &basic[leaf];
	if (leaf == 0x80000000u || leaf == 0x80000001u)
		return &extended[leaf & 1];
	if (leaf == 0x40000000u)
		return &hypervisor;
	memset(&none, 0, sizeof(none));
	return &none;
}

void processor_set_feature(struct cpuid_bit feature, bool value)
{
	uint32_t *reg = &leaf_of(feature.leaf)->by_register[feature.reg];

	if (value)
		*reg |= 1u << feature.bit;
	else
		*reg &= ~(1u << feature.bit);
}

void processor_set_vendor(const char *vendor)
{
	memcpy(&basic[0].ebx, vendor, 4);
	memcpy(&basic[0].edx, vendor + 4, 4);
	memcpy(&basic[0].ecx, vendor + 8, 4);
}

void processor_set_hypervisor(const char *sign)
{
	char padded[13] = "";

	processor_set_feature(CPUID_HYPERVISOR, sign[0] != '\0');
	memcpy(padded, sign, strlen(sign) < 12 ? strlen(sign) : 12);
	hypervisor.eax = 0x40000001;
	memcpy(&hypervisor.ebx, padded, 4);
	memcpy(&hypervisor.ecx, padded + 4, 4);
	memcpy(&hypervisor.edx, padded + 8, 4);
}

bool processor_rdmsr(uint32_t msr, uint64_t *value)
{
	struct msr_value *m = find(&now, msr);

	if (!m)
		return false;
	m->reads++;
	if (m->faults)
		return false;
	*value = m->value;
	return true;
}

unsigned processor_reads(uint32_t msr)
{
	struct msr_value *m = find(&now, msr);

	return m ? m->reads : 0;
}

struct cpuid_result processor_cpuid(uint32_t leaf, uint32_t subleaf)
{
	return subleaf == 0 ? *leaf_of(leaf) : (struct cpuid_result){.eax = 0};
}
