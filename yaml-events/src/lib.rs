//! The events of a YAML text. A crate of its own for one reason: the parser is generic, so it is
//! compiled where it is used, and with that crate's options. The program is compiled to be small,
//! which makes the parser a quarter slower, and of a large cloud-config it takes half the time.

pub use granit_parser::{Event, Marker, ScalarStyle, ScanError, Span, Tag};

use granit_parser::{Options, Parser, StrInput};

/// The events of one text, each with its place, up to the first error.
pub struct Events<'a>(Parser<'a, StrInput<'a>>);

impl<'a> Events<'a> {
    /// Of a text in which lists and mappings lie at most so deep in each other.
    pub fn new(text: &'a str, deepest: usize) -> Self {
        let mut options = Options::default();
        options.flow_nesting_limit = deepest;
        options.block_nesting_limit = deepest;
        // As PyYAML has it, and not YAML 1.2: a file whose last line has no end gets none.
        options.block_scalar_eof_without_line_feed = true;
        options.bom_inside_document_as_content = true;
        Self(Parser::new_from_str_with_options(text, options))
    }
}

impl<'a> Iterator for Events<'a> {
    type Item = Result<(Event<'a>, Span), ScanError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }
}
