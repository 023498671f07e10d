//! One parser, named by the environment's PARSER, fed by libFuzzer: see `make fuzz`.
#![no_main]

use std::sync::LazyLock;

use health_checker::firstboot::untrusted::{PARSERS, Parser};
use libfuzzer_sys::fuzz_target;

static CHOSEN: LazyLock<Parser> = LazyLock::new(|| {
    let name = std::env::var("PARSER").expect("PARSER names what is fuzzed");
    PARSERS.iter().find(|(known, _)| *known == name).expect("there is no parser of that name").1
});

fuzz_target!(|bytes: &[u8]| CHOSEN(bytes));
