#![no_main]

#[path = "../entries/sealed_cookies.rs"]
mod entry;
#[path = "../entries/site.rs"]
mod site;

libfuzzer_sys::fuzz_target!(|data: &[u8]| entry::run(data));
