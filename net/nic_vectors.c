/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/nic_vectors.h"

#include "net/nic.h"

/* An arch_irq_handler_t. */
static bool handle_message(void *context)
{
    const struct nic_vector *vector = context;
    struct nic_vectors *all = vector->all;

    all->handle(all->state, (unsigned)(vector - all->vector));
    nic_wake();
    return true;
}

bool nic_vectors_connect(struct nic_vectors *vectors, const struct vpci_msix *msix, unsigned wanted,
                         void (*handle)(void *state, unsigned vector), void *state)
{
    vectors->handle = handle;
    vectors->state = state;
    vectors->count = 0;
    while (vectors->count < NIC_VECTORS_MAX && vectors->count < wanted &&
           vectors->count < msix->entries) {
        struct nic_vector *vector = &vectors->vector[vectors->count];

        vector->all = vectors;
        if (!arch_msi_allocate(handle_message, vector, &vector->message)) {
            break;
        }
        vpci_msix_set(msix, vectors->count, vector->message.address, vector->message.data);
        vectors->count++;
    }
    return vectors->count > 0;
}

void nic_vectors_free(struct nic_vectors *vectors)
{
    while (vectors->count > 0) {
        arch_msi_free(&vectors->vector[--vectors->count].message);
    }
}
