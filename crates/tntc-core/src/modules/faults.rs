//! What no node can be, seen without running it: a default export that the engine does not call, decorators that Deno
//! does not parse, packages with native code.

use oxc_ast::ast::{
    Declaration, ExportDefaultDeclarationKind, Expression, FormalParameter, Function,
    IdentifierReference, ModuleExportName, Program, Statement,
};
use oxc_ast_visit::{Visit, walk};
use oxc_span::{GetSpan, Span};

use super::model::{Fault, FaultKind, Import, ImportKind, place};
use crate::diagnostic::Source;

/// Packages that need native code which a pod has no permission to load, and what does the same without.
const NATIVE: [(&str, &str); 17] = [
    ("argon2", "npm:hash-wasm"),
    ("bcrypt", "npm:bcryptjs"),
    ("better-sqlite3", "node:sqlite"),
    ("bufferutil", "npm:ws without it"),
    ("canvas", "npm:pureimage"),
    ("cpu-features", "npm:ssh2 without it"),
    ("duckdb", "npm:@duckdb/duckdb-wasm"),
    ("kerberos", "another way to authenticate"),
    ("leveldown", "npm:memory-level"),
    ("node-canvas", "npm:pureimage"),
    ("node-sass", "npm:sass"),
    ("oracledb", "its thin mode in a service of its own"),
    ("pg-native", "npm:pg"),
    ("serialport", "a service of its own"),
    ("sharp", "npm:jimp"),
    ("sqlite3", "node:sqlite"),
    ("zeromq", "npm:@nats-io/transport-node"),
];

/// What to use in the place of a package with native code; `None` of all others.
fn alternative_to_native(package: &str) -> Option<&'static str> {
    let found = NATIVE.iter().find(|(name, _)| *name == package);
    found.map(|(_, alternative)| *alternative)
}

pub(super) fn of(program: &Program<'_>, imports: &[Import], source: &Source<'_>) -> Vec<Fault> {
    let mut found = Vec::new();
    found.extend(export(program).map(|(kind, span)| Fault {
        kind,
        place: place(source, span.start as usize),
    }));
    let mut decorators = Decorators(Vec::new());
    decorators.visit_program(program);
    found.extend(decorators.0.into_iter().map(|span| Fault {
        kind: FaultKind::ParameterDecorator,
        place: place(source, span.start as usize),
    }));
    found.extend(imports.iter().filter_map(native));
    found
}

fn native(import: &Import) -> Option<Fault> {
    let package = package_of(import)?;
    let alternative = alternative_to_native(package)?;
    let package = package.to_owned();
    Some(Fault {
        kind: FaultKind::Native {
            package,
            alternative,
        },
        place: import.place,
    })
}

/// The name in `npm:name@version/path`; none of those that are listed has a scope.
fn package_of(import: &Import) -> Option<&str> {
    if import.kind != ImportKind::Npm || import.types_only {
        return None;
    }
    let named = import.specifier.strip_prefix("npm:")?;
    let named = named.strip_prefix('/').unwrap_or(named);
    named.split(['@', '/']).next()
}

/// A default export that is no function to be called.
fn export(program: &Program<'_>) -> Option<(FaultKind, Span)> {
    program.body.iter().find_map(|statement| match statement {
        Statement::ExportDefaultDeclaration(export) => {
            let kind = match &export.declaration {
                ExportDefaultDeclarationKind::ClassDeclaration(_) => Some(FaultKind::ClassExport),
                ExportDefaultDeclarationKind::FunctionDeclaration(function) => {
                    of_function(function)
                }
                ExportDefaultDeclarationKind::Identifier(name) => of_name(program, name),
                declaration => of_expression(declaration.as_expression()?),
            };
            kind.map(|kind| (kind, export.span))
        }
        Statement::ExportNamedDeclaration(export) => export.specifiers.iter().find_map(|it| {
            let ModuleExportName::IdentifierReference(local) = &it.local else {
                return None;
            };
            let is_default = it.exported.name() == "default";
            let kind = is_default.then(|| of_name(program, local)).flatten()?;
            Some((kind, it.span))
        }),
        _ => None,
    })
}

fn of_function(function: &Function<'_>) -> Option<FaultKind> {
    function.generator.then_some(FaultKind::GeneratorExport)
}

fn of_expression(expression: &Expression<'_>) -> Option<FaultKind> {
    match expression.get_inner_expression() {
        Expression::ClassExpression(_) => Some(FaultKind::ClassExport),
        Expression::FunctionExpression(function) => of_function(function),
        _ => None,
    }
}

/// Of what is declared under the name at the top of the file.
fn of_name(program: &Program<'_>, name: &IdentifierReference<'_>) -> Option<FaultKind> {
    program.body.iter().find_map(|statement| match statement {
        Statement::ExportDeclaration(export) => of_declaration(&export.declaration, name),
        statement => of_declaration(statement.as_declaration()?, name),
    })
}

fn of_declaration(
    declaration: &Declaration<'_>,
    name: &IdentifierReference<'_>,
) -> Option<FaultKind> {
    match declaration {
        Declaration::ClassDeclaration(class) => {
            let is_it = class.id.as_ref().is_some_and(|id| id.name == name.name);
            is_it.then_some(FaultKind::ClassExport)
        }
        Declaration::FunctionDeclaration(function) => {
            let is_it = function.id.as_ref().is_some_and(|id| id.name == name.name);
            is_it.then(|| of_function(function)).flatten()
        }
        Declaration::VariableDeclaration(variables) => {
            variables.declarations.iter().find_map(|it| {
                let is_it = it
                    .id
                    .get_identifier_name()
                    .is_some_and(|id| id == name.name);
                is_it.then(|| of_expression(it.init.as_ref()?)).flatten()
            })
        }
        _ => None,
    }
}

/// Parameters have decorators in TypeScript's older form alone.
struct Decorators(Vec<Span>);

impl<'a> Visit<'a> for Decorators {
    fn visit_formal_parameter(&mut self, it: &FormalParameter<'a>) {
        self.0.extend(it.decorators.first().map(GetSpan::span));
        walk::walk_formal_parameter(self, it);
    }
}
