#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cdc_agent::fuzzing::mutation(data));
