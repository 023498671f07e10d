//! Parts and merging, in tables. A new message is a new pair of files in `messages/`.

mod kinds;
mod limits;
mod merging;
mod messages;

use std::sync::Arc;

use super::{Part, parts};
use crate::firstboot::problem::{Problem, Problems};
use crate::firstboot::seed::Named;

/// Reads user-data; what it includes comes from a small web.
fn read(bytes: &[u8], launch_index: Option<i64>) -> (Vec<Part>, Problems) {
    let data = Named { source: Arc::from("user-data"), bytes: bytes.to_vec() };
    parts(&data, launch_index, &|url| match url {
        "http://example.com/script" => Ok(b"#!/bin/sh\necho included\n".to_vec()),
        "http://example.com/config" => Ok(b"MIME-Version: 1.0\n\n#cloud-config\nc: [\n".to_vec()),
        "http://example.com/loop" => Ok(b"#include\nhttp://example.com/loop\n".to_vec()),
        "http://example.com/many" => {
            Ok(format!("#include\n{}", "http://example.com/script\n".repeat(200)).into_bytes())
        }
        "http://example.com/large" => Ok(vec![b'#'; 17 << 20]),
        _ => anyhow::bail!("the server answers 404"),
    })
}

/// The first problem, in words.
fn first(problems: &[Problem]) -> String {
    problems.first().map(Problem::to_string).unwrap_or_default()
}
