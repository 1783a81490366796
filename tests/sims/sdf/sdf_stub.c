/*
 * A cryptographic device in software, for tests: the part of GM/T 0018 that signing and decrypting need, with real SM2
 * arithmetic from libcrypto 3. It keeps four keys: 1 and 2 have the password "sdf-stub-pin", 3 wants none,
 * 4 is empty; beside each there is an encryption pair. It can be told to fail (sdf_stub_*), and it notices what a real device would not forgive: a session used by
 * two threads at once, handles taken across a fork, handles used after they were closed.
 *
 * The few prototypes of libcrypto that it uses are declared here, so that it compiles without its headers:
 *     cc -shared -fPIC -o libsdf_stub.so sdf_stub.c -l:libcrypto.so.3 -lpthread
 */
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct evp_pkey_st EVP_PKEY;
typedef struct evp_pkey_ctx_st EVP_PKEY_CTX;
EVP_PKEY *EVP_PKEY_Q_keygen(void *library, const char *properties, const char *type, ...);
int i2d_PUBKEY(const EVP_PKEY *key, unsigned char **out);
void EVP_PKEY_free(EVP_PKEY *key);
EVP_PKEY_CTX *EVP_PKEY_CTX_new(EVP_PKEY *key, void *engine);
void EVP_PKEY_CTX_free(EVP_PKEY_CTX *context);
int EVP_PKEY_sign_init(EVP_PKEY_CTX *context);
int EVP_PKEY_sign(EVP_PKEY_CTX *context, unsigned char *out, size_t *size, const unsigned char *in, size_t in_size);
int EVP_PKEY_decrypt_init(EVP_PKEY_CTX *context);
int EVP_PKEY_decrypt(EVP_PKEY_CTX *context, unsigned char *out, size_t *size, const unsigned char *in, size_t in_size);
int RAND_bytes(unsigned char *out, int size);

#define OK 0x00000000u
#define UNKNOWN 0x01000001u
#define NO_RIGHT 0x01000007u
#define NO_KEY 0x01000008u
#define COMMUNICATION 0x01000003u
#define SIGNING 0x0100000Du
#define DECRYPTING 0x0100000Fu
#define STEP 0x01000010u
#define ARGUMENT 0x0100001Du
#define WRONG_PIN 0x01000100u /* a vendor's own number: the standard has none */

#define KEYS 4
#define SIZE 32
#define ROOM 64

/* Where sdf_stub_fail strikes. */
enum { OPEN_DEVICE, OPEN_SESSION, RIGHT, EXPORT, SIGN, RANDOM, INFO, DECRYPT, CALLS };
/* What sdf_stub_count counts. */
enum { DEVICES, SESSIONS, PINS, MISUSES, OPENED, MOST_SESSIONS, COUNTS };

typedef struct {
    unsigned int bits;
    unsigned char x[ROOM], y[ROOM];
} PublicKey;

typedef struct {
    unsigned char r[ROOM], s[ROOM];
} Signature;

typedef struct {
    unsigned char x[ROOM], y[ROOM], check[SIZE];
    unsigned int size;
    unsigned char body[];
} Cipher;

typedef struct {
    unsigned char issuer[40], name[16], serial[16];
    unsigned int version, standard, asymmetric[2], symmetric, hashes, buffer;
} Info;

typedef struct {
    pid_t process;
    unsigned int plugged; /* which plugging-in of the device it was opened in */
    int open;
} Device;

typedef struct {
    Device *device;
    int open, busy;
    int right[KEYS + 1];
} Session;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char PIN[] = "sdf-stub-pin";
static EVP_PKEY *keys[KEYS + 1], *encryption_keys[KEYS + 1];
static unsigned int algorithm; /* what the caller has to give before the ciphertext, 0 for nothing */
static unsigned int failure[CALLS];
static int failures_left[CALLS];
static int counts[COUNTS];
static unsigned int plugged = 1;
static int left_aligned;

/* --- what tests say to it ---------------------------------------------------------------------------------- */

/* The next `times` calls of a kind give `code`. */
void sdf_stub_fail(int call, unsigned int code, int times) {
    pthread_mutex_lock(&lock);
    failure[call] = code;
    failures_left[call] = times;
    pthread_mutex_unlock(&lock);
}

/* Everything opened until now is dead; what is opened from now on works. */
void sdf_stub_plug_in_again(void) {
    pthread_mutex_lock(&lock);
    plugged++;
    pthread_mutex_unlock(&lock);
}

/* The device forgets every right it gave. */
static Session *all[4096];
static int all_size;
void sdf_stub_forget_rights(void) {
    pthread_mutex_lock(&lock);
    for (int at = 0; at < all_size; at++)
        memset(all[at]->right, 0, sizeof all[at]->right);
    pthread_mutex_unlock(&lock);
}

/* Put another key in the place of one. */
void sdf_stub_replace_key(unsigned int index) {
    pthread_mutex_lock(&lock);
    keys[index] = EVP_PKEY_Q_keygen(NULL, NULL, "SM2"); /* the old one may be in use: it is left alone */
    pthread_mutex_unlock(&lock);
}

/* Want the number of an algorithm, as many vendors' libraries do. */
void sdf_stub_want_algorithm(unsigned int number) { algorithm = number; }

/* Write values at the left of their fields, as a device would that does not keep to the standard. */
void sdf_stub_align_left(int yes) { left_aligned = yes; }

int sdf_stub_count(int what) { return __atomic_load_n(&counts[what], __ATOMIC_SEQ_CST); }

/* --- inside -------------------------------------------------------------------------------------------------- */

static void count(int what, int change) { __atomic_add_fetch(&counts[what], change, __ATOMIC_SEQ_CST); }

static unsigned int misused(void) {
    count(MISUSES, 1);
    return STEP;
}

static unsigned int told_to_fail(int call) {
    unsigned int code = OK;
    pthread_mutex_lock(&lock);
    if (failures_left[call] > 0) {
        failures_left[call]--;
        code = failure[call];
    }
    pthread_mutex_unlock(&lock);
    return code;
}

static void make_keys(void) {
    for (int index = 1; index < KEYS; index++) {
        keys[index] = EVP_PKEY_Q_keygen(NULL, NULL, "SM2");
        encryption_keys[index] = EVP_PKEY_Q_keygen(NULL, NULL, "SM2");
    }
}

static EVP_PKEY *key_among(EVP_PKEY **some, unsigned int index) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_keys);
    return index >= 1 && index <= KEYS ? some[index] : NULL;
}

static EVP_PKEY *key_of(unsigned int index) { return key_among(keys, index); }

static void put(unsigned char *field, const unsigned char *value) {
    memset(field, 0, ROOM);
    memcpy(left_aligned ? field : field + ROOM - SIZE, value, SIZE);
}

/* Take a session for one call; leave() gives it back. */
static unsigned int enter(Session *session, int call) {
    if (session == NULL || !session->open || !session->device->open || session->device->process != getpid())
        return misused();
    if (__atomic_exchange_n(&session->busy, 1, __ATOMIC_SEQ_CST))
        return misused();
    unsigned int code = session->device->plugged == plugged ? told_to_fail(call) : COMMUNICATION;
    if (code != OK)
        __atomic_store_n(&session->busy, 0, __ATOMIC_SEQ_CST);
    return code;
}

static unsigned int leave(Session *session, unsigned int code) {
    __atomic_store_n(&session->busy, 0, __ATOMIC_SEQ_CST);
    return code;
}

/* One INTEGER of a DER signature as 32 octets. */
static const unsigned char *number(const unsigned char *der, unsigned char *value) {
    size_t size = der[1];
    const unsigned char *octets = der + 2, *end = octets + size;
    while (size > 0 && *octets == 0)
        octets++, size--;
    memset(value, 0, SIZE);
    memcpy(value + SIZE - size, octets, size);
    return end;
}

static int sign(EVP_PKEY *key, const unsigned char *digest, Signature *signature) {
    unsigned char der[80], value[SIZE];
    size_t size = sizeof der;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    int good = context && EVP_PKEY_sign_init(context) == 1 && EVP_PKEY_sign(context, der, &size, digest, SIZE) == 1;
    EVP_PKEY_CTX_free(context);
    if (good) {
        const unsigned char *next = number(der + 2, value);
        put(signature->r, value);
        number(next, value);
        put(signature->s, value);
    }
    return good;
}

/* --- GM/T 0018 ----------------------------------------------------------------------------------------------- */

unsigned int SDF_OpenDevice(void **handle) {
    unsigned int code = told_to_fail(OPEN_DEVICE);
    if (code != OK)
        return code;
    if (getenv("SDF_STUB_UNPLUGGED") != NULL)
        return COMMUNICATION;
    Device *device = calloc(1, sizeof *device);
    if (device == NULL)
        return UNKNOWN;
    device->process = getpid();
    device->plugged = plugged;
    device->open = 1;
    count(DEVICES, 1);
    count(OPENED, 1);
    *handle = device;
    return OK;
}

/* Handles are never freed: that is how their use after closing is noticed. */
unsigned int SDF_CloseDevice(void *handle) {
    Device *device = handle;
    if (device == NULL || !device->open || device->process != getpid())
        return misused();
    device->open = 0;
    count(DEVICES, -1);
    return OK;
}

unsigned int SDF_OpenSession(void *handle, void **out) {
    Device *device = handle;
    if (device == NULL || !device->open || device->process != getpid())
        return misused();
    unsigned int code = device->plugged == plugged ? told_to_fail(OPEN_SESSION) : COMMUNICATION;
    if (code != OK)
        return code;
    Session *session = calloc(1, sizeof *session);
    if (session == NULL)
        return UNKNOWN;
    session->device = device;
    session->open = 1;
    pthread_mutex_lock(&lock);
    all[all_size++ % 4096] = session;
    if (++counts[SESSIONS] > counts[MOST_SESSIONS])
        counts[MOST_SESSIONS] = counts[SESSIONS];
    pthread_mutex_unlock(&lock);
    *out = session;
    return OK;
}

unsigned int SDF_CloseSession(void *handle) {
    Session *session = handle;
    if (session == NULL || !session->open || !session->device->open || session->device->process != getpid() ||
        session->busy)
        return misused();
    session->open = 0;
    count(SESSIONS, -1);
    return OK;
}

unsigned int SDF_GetDeviceInfo(void *handle, Info *info) {
    unsigned int code = enter(handle, INFO);
    if (code != OK)
        return code;
    memset(info, 0, sizeof *info);
    memcpy(info->issuer, "Xinyin tests", 12);
    memcpy(info->name, "sdf-stub", 8);
    memcpy(info->serial, "2026112200000001", 16); /* the field is full: no zero ends it */
    info->version = 1;
    info->standard = 1;
    return leave(handle, OK);
}

unsigned int SDF_GenerateRandom(void *handle, unsigned int size, unsigned char *out) {
    unsigned int code = enter(handle, RANDOM);
    if (code != OK)
        return code;
    return leave(handle, RAND_bytes(out, (int)size) == 1 ? OK : UNKNOWN);
}

unsigned int SDF_GetPrivateKeyAccessRight(void *handle, unsigned int index, const char *pin, unsigned int size) {
    Session *session = handle;
    unsigned int code = enter(session, RIGHT);
    if (code != OK)
        return code;
    count(PINS, 1);
    if (key_of(index) == NULL)
        return leave(session, NO_KEY);
    if (size != sizeof PIN - 1 || memcmp(pin, PIN, size) != 0)
        return leave(session, WRONG_PIN);
    session->right[index] = 1;
    return leave(session, OK);
}

unsigned int SDF_ReleasePrivateKeyAccessRight(void *handle, unsigned int index) {
    Session *session = handle;
    unsigned int code = enter(session, INFO);
    if (code != OK)
        return code;
    if (index < 1 || index > KEYS || !session->right[index])
        return leave(session, ARGUMENT);
    session->right[index] = 0;
    return leave(session, OK);
}

static unsigned int export(void *handle, EVP_PKEY *key, PublicKey *out) {
    unsigned int code = enter(handle, EXPORT);
    if (code != OK)
        return code;
    if (key == NULL)
        return leave(handle, NO_KEY);
    unsigned char der[256], *cursor = der;
    int size = i2d_PUBKEY(key, NULL);
    if (size <= 2 * SIZE || size > (int)sizeof der || i2d_PUBKEY(key, &cursor) != size)
        return leave(handle, UNKNOWN);
    out->bits = 256;
    put(out->x, der + size - 2 * SIZE);
    put(out->y, der + size - SIZE);
    return leave(handle, OK);
}

unsigned int SDF_ExportSignPublicKey_ECC(void *handle, unsigned int index, PublicKey *out) {
    return export(handle, key_of(index), out);
}

unsigned int SDF_ExportEncPublicKey_ECC(void *handle, unsigned int index, PublicKey *out) {
    return export(handle, key_among(encryption_keys, index), out);
}

/* One member of a DER SEQUENCE; gives what follows it. */
static unsigned char *member(unsigned char *out, unsigned char tag, const unsigned char *value, unsigned int size) {
    *out++ = tag;
    *out++ = 0x82;
    *out++ = (unsigned char)(size >> 8);
    *out++ = (unsigned char)size;
    memcpy(out, value, size);
    return out + size;
}

/* An INTEGER out of a field of 64 octets, in the shortest form that is DER's. */
static unsigned char *coordinate(unsigned char *out, const unsigned char *field) {
    unsigned char value[SIZE + 1] = {0};
    memcpy(value + 1, field + ROOM - SIZE, SIZE);
    int skipped = 0;
    while (skipped < SIZE && value[skipped] == 0 && value[skipped + 1] < 0x80)
        skipped++;
    *out++ = 2;
    *out++ = (unsigned char)(SIZE + 1 - skipped);
    memcpy(out, value + skipped, (size_t)(SIZE + 1 - skipped));
    return out + SIZE + 1 - skipped;
}

static unsigned char *octets(unsigned char *out, const unsigned char *value, unsigned int size) {
    if (size >= 256)
        return member(out, 4, value, size);
    *out++ = 4;
    if (size >= 128)
        *out++ = 0x81;
    *out++ = (unsigned char)size;
    memcpy(out, value, size);
    return out + size;
}

#define MOST 1024
static unsigned int decrypt(Session *session, unsigned int index, const Cipher *in, unsigned char *out,
                            unsigned int *out_size) {
    unsigned int code = enter(session, DECRYPT);
    if (code != OK)
        return code;
    EVP_PKEY *key = key_among(encryption_keys, index);
    if (key == NULL)
        return leave(session, NO_KEY);
    if (index != 3 && !session->right[index])
        return leave(session, NO_RIGHT);
    if (in->size < 1 || in->size > MOST)
        return leave(session, ARGUMENT);
    unsigned char inside[MOST + 256], der[MOST + 300], message[MOST + 256], *end = inside, *last = der;
    end = coordinate(end, in->x);
    end = coordinate(end, in->y);
    end = octets(end, in->check, SIZE);
    end = octets(end, in->body, in->size);
    unsigned int size = (unsigned int)(end - inside);
    *last++ = 0x30;
    if (size >= 256)
        *last++ = 0x82, *last++ = (unsigned char)(size >> 8);
    else if (size >= 128)
        *last++ = 0x81;
    *last++ = (unsigned char)size;
    memcpy(last, inside, size);
    last += size;
    size_t message_size = sizeof message;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    int good = context && EVP_PKEY_decrypt_init(context) == 1 &&
               EVP_PKEY_decrypt(context, message, &message_size, der, (size_t)(last - der)) == 1 &&
               message_size <= *out_size;
    EVP_PKEY_CTX_free(context);
    if (good) {
        memcpy(out, message, message_size);
        *out_size = (unsigned int)message_size;
    }
    return leave(session, good ? OK : DECRYPTING);
}

/* What sdf_stub_want_algorithm was told decides what the arguments are: the stub stands for both kinds of library. */
unsigned int SDF_InternalDecrypt_ECC(void *handle, unsigned int index, void *third, void *fourth, void *fifth,
                                     void *sixth) {
    if (algorithm == 0)
        return decrypt(handle, index, third, fourth, fifth);
    return (unsigned int)(size_t)third == algorithm ? decrypt(handle, index, fourth, fifth, sixth) : ARGUMENT;
}

unsigned int SDF_InternalSign_ECC(void *handle, unsigned int index, const unsigned char *data, unsigned int size,
                                  Signature *out) {
    Session *session = handle;
    unsigned int code = enter(session, SIGN);
    if (code != OK)
        return code;
    EVP_PKEY *key = key_of(index);
    if (key == NULL)
        return leave(session, NO_KEY);
    if (size != SIZE)
        return leave(session, ARGUMENT);
    if (index != 3 && !session->right[index])
        return leave(session, NO_RIGHT);
    return leave(session, sign(key, data, out) ? OK : SIGNING);
}
