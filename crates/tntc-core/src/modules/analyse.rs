//! Reads one file, within bounds on its size and its nesting.

use oxc_allocator::Allocator;
use oxc_ast::ast::Program;
use oxc_parser::Parser;
use oxc_semantic::SemanticBuilder;
use oxc_span::SourceType;

use super::model::{Module, Place, SyntaxError, place};
use super::{bindings, faults, imports, taint, uses};
use crate::diagnostic::{Source, shown};

/// Reads one file. The ending of its path says which language it is.
///
/// # Errors
/// The first syntax error, also when the file is not UTF-8, or larger or nested deeper than any code that is meant.
pub fn analyse(path: &str, content: &[u8]) -> Result<Module, SyntaxError> {
    let error = |(message, place)| SyntaxError {
        path: path.to_owned(),
        message,
        place,
    };
    let text = text_of(content)
        .map_err(|problem| error((problem.to_owned(), Place { line: 1, column: 1 })))?;
    let source = Source::new(text);
    let at = |(message, offset)| error((message, place(&source, offset)));
    if let Some(offset) = too_deep(text) {
        let problem = format!("brackets are nested deeper than {MAX_NESTING} levels");
        return Err(at((problem, offset)));
    }
    on_a_deep_stack(text.len(), || read(path, text, &source))
        .unwrap_or_else(|cause| Err((format!("the file cannot be read: {cause}"), 0)))
        .map_err(at)
}

/// Most bytes of one file: more than a `ConfigMap` can deliver.
const MAX_BYTES: usize = 1024 * 1024;

fn text_of(content: &[u8]) -> Result<&str, &'static str> {
    if content.len() > MAX_BYTES {
        return Err("the file is larger than 1 MiB, which no ConfigMap can deliver");
    }
    std::str::from_utf8(content).map_err(|_| "the file is not UTF-8")
}

/// Brackets that may be open at once: the parser descends once for each, and no one writes half as many.
const MAX_NESTING: usize = 500;

/// Where brackets are nested too deep, counted roughly: those within texts and comments count as well.
fn too_deep(text: &str) -> Option<usize> {
    let mut open = 0_usize;
    text.bytes().position(|byte| {
        match byte {
            b'(' | b'[' | b'{' => open += 1,
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        open > MAX_NESTING
    })
}

/// Bytes of stack for each byte of a file. Type arguments in type arguments take the most: 1.1 KiB without optimisation.
const STACK_FOR_A_BYTE: usize = 2048;
/// Bytes of stack for an empty file, with every bracket that may be open.
const STACK: usize = 4 * 1024 * 1024;

/// Runs something on a stack that holds whatever a file of that size asks for, such as `1+1+1+…` or `!!!…x`: parser and
/// visitors descend once for each operator. Stack that is never reached is never memory.
///
/// # Errors
/// There is no room for the stack.
fn on_a_deep_stack<T: Send>(bytes: usize, work: impl FnOnce() -> T + Send) -> std::io::Result<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .stack_size(STACK + bytes * STACK_FOR_A_BYTE)
            .spawn_scoped(scope, work)?;
        thread
            .join()
            .or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// What a file does, or its first syntax error and the offset of it.
fn read(path: &str, text: &str, source: &Source<'_>) -> Result<Module, (String, usize)> {
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, text, source_type(path)).parse();
    if let Some(diagnostic) = parsed.diagnostics.iter().next() {
        let offset = diagnostic
            .labels
            .first()
            .map_or(0, |label| label.offset() as usize);
        return Err((shown(&diagnostic.message), offset));
    }
    Ok(module(&parsed.program, source))
}

fn module(program: &Program<'_>, source: &Source<'_>) -> Module {
    let semantic = SemanticBuilder::new().build(program).semantic;
    let bindings = bindings::Bindings::of(program, semantic.scoping());
    let taint = taint::Taint::of(program, &bindings, semantic.scoping());
    let imports = imports::of(program, source);
    Module {
        faults: faults::of(program, &imports, source),
        imports,
        uses: uses::of(program, &bindings, &taint, source),
    }
}

fn source_type(path: &str) -> SourceType {
    let is = |ending: &str| path.ends_with(ending);
    match () {
        () if is(".tsx") => SourceType::tsx(),
        () if is(".jsx") => SourceType::jsx().with_module(true),
        () if is(".ts") || is(".mts") => SourceType::ts(),
        () => SourceType::mjs(),
    }
}
