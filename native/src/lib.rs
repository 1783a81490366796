//! Botan's C interface for SM2 under names of its own, each beginning with `xinyin_`.
//!
//! A shared library made by Rust shows only what Rust defines; the functions of the enclosed static library would be
//! hidden. The prefix also keeps apart a Botan of the system that the same process may have loaded.

use botan_sys as botan;
use std::ffi::{c_char, c_int, c_void};

macro_rules! door {
    ($($name:ident($($argument:ident: $kind:ty),*) -> $result:ty;)*) => {$(
        /// The function of this name in Botan's `ffi.h`, which states what its arguments must be.
        ///
        /// # Safety
        /// As in C: pointers must be valid, and an object is used by one thread at a time.
        #[unsafe(export_name = concat!("xinyin_", stringify!($name)))]
        pub unsafe extern "C" fn $name($($argument: $kind),*) -> $result {
            unsafe { botan::$name($($argument),*) }
        }
    )*};
}

door! {
    botan_version_string() -> *const c_char;
    botan_version_major() -> u32;
    botan_error_description(code: c_int) -> *const c_char;
    botan_rng_init(rng: *mut botan::botan_rng_t, kind: *const c_char) -> c_int;
    botan_rng_destroy(rng: botan::botan_rng_t) -> c_int;
    botan_mp_init(number: *mut botan::botan_mp_t) -> c_int;
    botan_mp_destroy(number: botan::botan_mp_t) -> c_int;
    botan_mp_from_bin(number: botan::botan_mp_t, octets: *const u8, size: usize) -> c_int;
    botan_mp_to_bin(number: botan::botan_mp_t, octets: *mut u8) -> c_int;
    botan_mp_num_bytes(number: botan::botan_mp_t, size: *mut usize) -> c_int;
    botan_privkey_load_sm2(key: *mut botan::botan_privkey_t, scalar: botan::botan_mp_t, curve: *const c_char) -> c_int;
    botan_privkey_export_pubkey(public: *mut botan::botan_pubkey_t, key: botan::botan_privkey_t) -> c_int;
    botan_privkey_destroy(key: botan::botan_privkey_t) -> c_int;
    botan_pubkey_load_sm2(
        key: *mut botan::botan_pubkey_t, x: botan::botan_mp_t, y: botan::botan_mp_t, curve: *const c_char
    ) -> c_int;
    botan_pubkey_get_field(number: botan::botan_mp_t, key: botan::botan_pubkey_t, name: *const c_char) -> c_int;
    botan_pubkey_destroy(key: botan::botan_pubkey_t) -> c_int;
    botan_pk_op_sign_create(
        op: *mut botan::botan_pk_op_sign_t, key: botan::botan_privkey_t, padding: *const c_char, flags: u32
    ) -> c_int;
    botan_pk_op_sign_update(op: botan::botan_pk_op_sign_t, octets: *const u8, size: usize) -> c_int;
    botan_pk_op_sign_finish(
        op: botan::botan_pk_op_sign_t, rng: botan::botan_rng_t, signature: *mut u8, size: *mut usize
    ) -> c_int;
    botan_pk_op_sign_destroy(op: botan::botan_pk_op_sign_t) -> c_int;
    botan_pk_op_verify_create(
        op: *mut botan::botan_pk_op_verify_t, key: botan::botan_pubkey_t, padding: *const c_char, flags: u32
    ) -> c_int;
    botan_pk_op_verify_update(op: botan::botan_pk_op_verify_t, octets: *const u8, size: usize) -> c_int;
    botan_pk_op_verify_finish(op: botan::botan_pk_op_verify_t, signature: *const u8, size: usize) -> c_int;
    botan_pk_op_verify_destroy(op: botan::botan_pk_op_verify_t) -> c_int;
    botan_ec_group_from_name(group: *mut botan::botan_ec_group_t, name: *const c_char) -> c_int;
    botan_ec_group_destroy(group: botan::botan_ec_group_t) -> c_int;
    botan_ec_scalar_from_mp(
        scalar: *mut botan::botan_ec_scalar_t, group: botan::botan_ec_group_t, number: botan::botan_mp_t
    ) -> c_int;
    botan_ec_scalar_destroy(scalar: botan::botan_ec_scalar_t) -> c_int;
    botan_ec_point_from_bytes(
        point: *mut botan::botan_ec_point_t, group: botan::botan_ec_group_t, octets: *const u8, size: usize
    ) -> c_int;
    botan_ec_point_mul(
        product: *mut botan::botan_ec_point_t, point: botan::botan_ec_point_t, scalar: botan::botan_ec_scalar_t,
        rng: botan::botan_rng_t
    ) -> c_int;
    botan_ec_point_view_uncompressed(
        point: botan::botan_ec_point_t, context: *mut c_void,
        view: extern "C" fn(context: *mut c_void, octets: *const u8, size: usize) -> c_int
    ) -> c_int;
    botan_ec_point_destroy(point: botan::botan_ec_point_t) -> c_int;
}
