/* The own speed of an SM2 library: the same calls on a digest that the doors make, with nothing around them.
 *
 *     sm2_speed libbotan|libcrypto LIBRARY sign|verify THREADS SECONDS
 *
 * Prints operations a second of wall-clock time and of CPU time, of all threads together. Keys are loaded once; libbotan's operation
 * objects are kept, libcrypto's contexts are made each time, as each library wants it. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void *library;
static int verifying;
static double seconds;

static const unsigned char SCALAR[32] = {0x39, 0x45, 0x20, 0x8F, 0x7B, 0x21, 0x44, 0xB1, 0x3F, 0x36, 0xE3,
                                         0x8A, 0xC6, 0xD3, 0x9F, 0x95, 0x88, 0x93, 0x93, 0x69, 0x28, 0x60,
                                         0xB5, 0x1A, 0x42, 0xFB, 0x81, 0xEF, 0x4D, 0xF7, 0xC5, 0xB8};
static const unsigned char DIGEST[32] = {0xF0, 0xB4, 0x3E, 0x94};

static void *named(const char *name) {
    char own[128];
    snprintf(own, sizeof own, "xinyin_%s", name); /* native/ puts a prefix before every name. */
    void *found = dlsym(library, own);
    if (!found && !(found = dlsym(library, name))) {
        fprintf(stderr, "no %s\n", name);
        exit(2);
    }
    return found;
}

static void must(int held) {
    if (!held) {
        fprintf(stderr, "a call failed\n");
        exit(3);
    }
}

static double read_clock(clockid_t clock) {
    struct timespec at;
    clock_gettime(clock, &at);
    return at.tv_sec + at.tv_nsec / 1e9;
}

static double now(void) { return read_clock(CLOCK_MONOTONIC); }

#define F(result, name, ...) result (*name)(__VA_ARGS__) = (result (*)(__VA_ARGS__))named(#name)

static void *botan(void *count) {
    F(int, botan_rng_init, void **, const char *);
    F(int, botan_mp_init, void **);
    F(int, botan_mp_from_bin, void *, const unsigned char *, size_t);
    F(int, botan_privkey_load_sm2, void **, void *, const char *);
    F(int, botan_privkey_export_pubkey, void **, void *);
    F(int, botan_pk_op_sign_create, void **, void *, const char *, unsigned);
    F(int, botan_pk_op_sign_update, void *, const unsigned char *, size_t);
    F(int, botan_pk_op_sign_finish, void *, void *, unsigned char *, size_t *);
    F(int, botan_pk_op_verify_create, void **, void *, const char *, unsigned);
    F(int, botan_pk_op_verify_update, void *, const unsigned char *, size_t);
    F(int, botan_pk_op_verify_finish, void *, const unsigned char *, size_t);
    void *rng, *number, *key, *public, *sign, *verify;
    unsigned char value[64];
    size_t size = sizeof value;
    must(!botan_rng_init(&rng, "system") && !botan_mp_init(&number) && !botan_mp_from_bin(number, SCALAR, 32));
    must(!botan_privkey_load_sm2(&key, number, "sm2p256v1") && !botan_privkey_export_pubkey(&public, key));
    must(!botan_pk_op_sign_create(&sign, key, "1234567812345678,Raw", 0));
    must(!botan_pk_op_verify_create(&verify, public, "1234567812345678,Raw", 0));
    must(!botan_pk_op_sign_update(sign, DIGEST, 32) && !botan_pk_op_sign_finish(sign, rng, value, &size));
    for (double end = now() + seconds; now() < end; ++*(long *)count) {
        if (verifying)
            must(!botan_pk_op_verify_update(verify, DIGEST, 32) && !botan_pk_op_verify_finish(verify, value, 64));
        else
            must(!botan_pk_op_sign_update(sign, DIGEST, 32) && !botan_pk_op_sign_finish(sign, rng, value, &size));
    }
    return NULL;
}

static void *openssl(void *count) {
    static const unsigned char HEAD[] = {0x30, 0x41, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48,
                                         0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A, 0x81, 0x1C, 0xCF, 0x55, 0x01,
                                         0x82, 0x2D, 0x04, 0x27, 0x30, 0x25, 0x02, 0x01, 0x01, 0x04, 0x20};
    F(void *, d2i_AutoPrivateKey, void **, const unsigned char **, long);
    F(void *, EVP_PKEY_CTX_new, void *, void *);
    F(void, EVP_PKEY_CTX_free, void *);
    F(int, EVP_PKEY_sign_init, void *);
    F(int, EVP_PKEY_sign, void *, unsigned char *, size_t *, const unsigned char *, size_t);
    F(int, EVP_PKEY_verify_init, void *);
    F(int, EVP_PKEY_verify, void *, const unsigned char *, size_t, const unsigned char *, size_t);
    unsigned char der[sizeof HEAD + 32], value[80];
    const unsigned char *cursor = der;
    memcpy(der, HEAD, sizeof HEAD);
    memcpy(der + sizeof HEAD, SCALAR, 32);
    void *key = d2i_AutoPrivateKey(NULL, &cursor, sizeof der);
    must(key != NULL);
    size_t signed_size = 0;
    for (double end = now() + seconds; now() < end || !signed_size; ++*(long *)count) {
        void *context = EVP_PKEY_CTX_new(key, NULL);
        if (verifying && signed_size) {
            must(EVP_PKEY_verify_init(context) == 1);
            must(EVP_PKEY_verify(context, value, signed_size, DIGEST, 32) == 1);
        } else {
            signed_size = sizeof value;
            must(EVP_PKEY_sign_init(context) == 1);
            must(EVP_PKEY_sign(context, value, &signed_size, DIGEST, 32) == 1);
        }
        EVP_PKEY_CTX_free(context);
    }
    return NULL;
}

int main(int count, char **words) {
    must(count == 6);
    must((library = dlopen(words[2], RTLD_NOW)) != NULL);
    verifying = !strcmp(words[3], "verify");
    seconds = atof(words[5]);
    void *(*work)(void *) = strcmp(words[1], "libbotan") ? openssl : botan;
    int threads = atoi(words[4]);
    must(threads >= 1 && threads <= 64);
    pthread_t running[64];
    long done[64 * 16] = {0}; /* Each on a cache line of its own. */
    double began = now(), spent = read_clock(CLOCK_PROCESS_CPUTIME_ID);
    for (int at = 0; at < threads; at++) must(!pthread_create(&running[at], NULL, work, &done[at * 16]));
    long all = 0;
    for (int at = 0; at < threads; at++) {
        pthread_join(running[at], NULL);
        all += done[at * 16];
    }
    printf("%f %f\n", all / (now() - began), all / (read_clock(CLOCK_PROCESS_CPUTIME_ID) - spent));
    return 0;
}
