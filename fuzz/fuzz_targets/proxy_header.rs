#![no_main]

#[path = "../entries/proxy_header.rs"]
mod entry;

libfuzzer_sys::fuzz_target!(|data: &[u8]| entry::run(data));
