//! Imports and re-exports of one file.

use oxc_ast::ast::{
    ExportAllDeclaration, ExportFromDeclaration, Expression, ImportDeclaration,
    ImportDeclarationSpecifier, ImportExpression, ImportOrExportKind, Program,
};
use oxc_ast_visit::{Visit, walk};
use oxc_span::Span;

use super::model::{Import, ImportKind, place};
use crate::diagnostic::Source;

pub(super) fn of(program: &Program<'_>, source: &Source<'_>) -> Vec<Import> {
    let mut finder = Finder {
        source,
        found: Vec::new(),
    };
    finder.visit_program(program);
    finder.found
}

struct Finder<'s> {
    source: &'s Source<'s>,
    found: Vec<Import>,
}

impl Finder<'_> {
    fn add(&mut self, specifier: &str, span: Span, kind: ImportOrExportKind) {
        self.found.push(Import {
            specifier: specifier.to_owned(),
            kind: ImportKind::of(specifier),
            types_only: kind == ImportOrExportKind::Type,
            dynamic: false,
            place: place(self.source, span.start as usize),
        });
    }
}

impl<'a> Visit<'a> for Finder<'_> {
    fn visit_import_declaration(&mut self, it: &ImportDeclaration<'a>) {
        let kind = if names_only_types(it) {
            ImportOrExportKind::Type
        } else {
            it.import_kind
        };
        self.add(&it.source.value, it.source.span, kind);
    }

    fn visit_export_all_declaration(&mut self, it: &ExportAllDeclaration<'a>) {
        self.add(&it.source.value, it.source.span, it.export_kind);
    }

    fn visit_export_from_declaration(&mut self, it: &ExportFromDeclaration<'a>) {
        self.add(&it.source.value, it.source.span, it.export_kind);
    }

    fn visit_import_expression(&mut self, it: &ImportExpression<'a>) {
        let specifier = text(&it.source);
        self.found.push(Import {
            kind: specifier
                .as_deref()
                .map_or(ImportKind::Computed, ImportKind::of),
            specifier: specifier.unwrap_or_default(),
            types_only: false,
            dynamic: true,
            place: place(self.source, it.span.start as usize),
        });
        walk::walk_import_expression(self, it);
    }
}

/// Whether every name is imported as a type (`import { type A }`), which loads nothing under Deno's settings either.
fn names_only_types(it: &ImportDeclaration<'_>) -> bool {
    it.specifiers.as_ref().is_some_and(|specifiers| {
        let is_type = |specifier: &ImportDeclarationSpecifier<'_>| match specifier {
            ImportDeclarationSpecifier::ImportSpecifier(specifier) => {
                specifier.import_kind == ImportOrExportKind::Type
            }
            _ => false,
        };
        !specifiers.is_empty() && specifiers.iter().all(is_type)
    })
}

/// The text of a literal without substitutions.
pub(super) fn text(expression: &Expression<'_>) -> Option<String> {
    match expression.get_inner_expression() {
        Expression::StringLiteral(literal) => Some(literal.value.to_string()),
        Expression::TemplateLiteral(template) if template.expressions.is_empty() => template
            .quasis
            .first()
            .and_then(|quasi| quasi.value.cooked)
            .map(|text| text.to_string()),
        _ => None,
    }
}
