#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hogwire_fuzz::liquid(bytes));
