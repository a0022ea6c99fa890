//! Which names of a file stand for the context, or for a part of it.

use std::collections::{HashMap, HashSet};

use oxc_ast::ast::{
    Argument, ArrowFunctionExpression, BindingPattern, CallExpression, ChainElement,
    ExportDefaultDeclarationKind, Expression, FormalParameter, FormalParameters, Function,
    IdentifierReference, MemberExpression, ModuleExportName, Program, Statement, TSType,
    TSTypeAnnotation, TSTypeName, VariableDeclarator,
};
use oxc_ast_visit::{Visit, walk};
use oxc_semantic::Scoping;
use oxc_syntax::scope::ScopeFlags;
use oxc_syntax::symbol::SymbolId;

use super::imports::text;

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The context itself.
    Context,
    /// A member of the context.
    Member(String),
    /// A text that never changes.
    Text(String),
}

/// Passes over a file at most: each follows the context one function deeper.
const MAX_PASSES: usize = 8;

/// Meanings of the names of one file.
pub(super) struct Bindings<'s> {
    scoping: &'s Scoping,
    meanings: HashMap<SymbolId, Meaning>,
    /// Functions that get the context passed, with the position of the argument.
    passed: HashSet<(SymbolId, usize)>,
    /// Where parameters begin that are the context and are taken apart at once.
    patterns: HashSet<u32>,
    /// The function that the engine calls, when it is exported by its name.
    entry: Option<SymbolId>,
}

impl<'s> Bindings<'s> {
    pub(super) fn of(program: &Program<'_>, scoping: &'s Scoping) -> Self {
        let mut bindings = Self {
            scoping,
            meanings: HashMap::new(),
            passed: HashSet::new(),
            patterns: HashSet::new(),
            entry: None,
        };
        bindings.entry = program
            .body
            .iter()
            .find_map(|statement| bindings.exported(statement));
        for _ in 0..MAX_PASSES {
            let before = (bindings.meanings.len(), bindings.passed.len());
            bindings.visit_program(program);
            if before == (bindings.meanings.len(), bindings.passed.len()) {
                break;
            }
        }
        bindings
    }

    /// What an expression stands for.
    pub(super) fn meaning(&self, expression: &Expression<'_>) -> Option<Meaning> {
        match expression.get_inner_expression() {
            Expression::Identifier(identifier) => {
                self.meanings.get(&self.symbol(identifier)?).cloned()
            }
            Expression::ChainExpression(chain) => match &chain.expression {
                ChainElement::StaticMemberExpression(member) => {
                    self.member(&member.object, &member.property.name)
                }
                ChainElement::ComputedMemberExpression(member) => {
                    self.member(&member.object, &text(&member.expression)?)
                }
                _ => None,
            },
            inner => {
                let member = inner.as_member_expression()?;
                self.member(member.object(), member.static_property_name()?)
            }
        }
    }

    /// What a member expression stands for.
    pub(super) fn meaning_of_member(&self, member: &MemberExpression<'_>) -> Option<Meaning> {
        self.member(member.object(), member.static_property_name()?)
    }

    fn member(&self, object: &Expression<'_>, name: &str) -> Option<Meaning> {
        self.is_context(object)
            .then(|| Meaning::Member(name.to_owned()))
    }

    /// Whether an expression is the context. Only a name is: no member of anything stands for it.
    pub(super) fn is_context(&self, expression: &Expression<'_>) -> bool {
        let Expression::Identifier(identifier) = expression.get_inner_expression() else {
            return false;
        };
        let symbol = self.symbol(identifier);
        symbol.and_then(|symbol| self.meanings.get(&symbol)) == Some(&Meaning::Context)
    }

    /// The text that an expression always is.
    pub(super) fn text(&self, expression: &Expression<'_>) -> Option<String> {
        text(expression).or_else(|| match self.meaning(expression) {
            Some(Meaning::Text(text)) => Some(text),
            _ => None,
        })
    }

    /// Whether a parameter is the context.
    pub(super) fn is_context_parameter(&self, parameter: &FormalParameter<'_>) -> bool {
        self.patterns.contains(&parameter.span.start)
    }

    /// Whether the identifier is a name that no scope of the file declares.
    pub(super) fn is_global(&self, identifier: &IdentifierReference<'_>) -> bool {
        self.symbol(identifier).is_none()
    }

    fn symbol(&self, identifier: &IdentifierReference<'_>) -> Option<SymbolId> {
        self.scoping
            .get_reference(identifier.reference_id.get()?)
            .symbol_id()
    }

    fn exported(&self, statement: &Statement<'_>) -> Option<SymbolId> {
        match statement {
            Statement::ExportDefaultDeclaration(export) => match &export.declaration {
                ExportDefaultDeclarationKind::FunctionDeclaration(function) => {
                    function.id.as_ref()?.symbol_id.get()
                }
                ExportDefaultDeclarationKind::Identifier(identifier) => self.symbol(identifier),
                _ => None,
            },
            Statement::ExportNamedDeclaration(export) => {
                export.specifiers.iter().find_map(|specifier| {
                    let ModuleExportName::IdentifierReference(local) = &specifier.local else {
                        return None;
                    };
                    (specifier.exported.name() == "default")
                        .then(|| self.symbol(local))
                        .flatten()
                })
            }
            _ => None,
        }
    }

    fn bind(&mut self, pattern: &BindingPattern<'_>, meaning: &Meaning) {
        match pattern {
            BindingPattern::BindingIdentifier(identifier) => {
                if let Some(symbol) = identifier.symbol_id.get() {
                    self.meanings.insert(symbol, meaning.clone());
                }
            }
            BindingPattern::AssignmentPattern(assignment) => self.bind(&assignment.left, meaning),
            BindingPattern::ObjectPattern(object) if *meaning == Meaning::Context => {
                for property in &object.properties {
                    if let Some(name) = property.key.static_name() {
                        self.bind(&property.value, &Meaning::Member(name.into_owned()));
                    }
                }
                if let Some(rest) = &object.rest {
                    self.bind(&rest.argument, meaning);
                }
            }
            _ => {}
        }
    }

    /// Parameters that are the context: the first of the node's function, those that get it passed, and those that are
    /// called or typed so.
    fn parameters(
        &mut self,
        function: Option<SymbolId>,
        is_entry: bool,
        parameters: &FormalParameters<'_>,
    ) {
        for (index, parameter) in parameters.items.iter().enumerate() {
            let is_passed =
                function.is_some_and(|function| self.passed.contains(&(function, index)));
            let is_first = is_entry && index == 0;
            let is_named = parameter
                .pattern
                .get_identifier_name()
                .is_some_and(|name| name == "ctx");
            let is_typed = parameter.type_annotation.as_deref().is_some_and(is_context);
            if is_passed || is_first || is_named || is_typed {
                self.bind(&parameter.pattern, &Meaning::Context);
                self.patterns.insert(parameter.span.start);
            }
        }
    }

    fn function(
        &mut self,
        function: Option<SymbolId>,
        is_entry: bool,
        expression: &Expression<'_>,
    ) {
        match expression.get_inner_expression() {
            Expression::ArrowFunctionExpression(arrow) => {
                self.parameters(function, is_entry, &arrow.params);
            }
            Expression::FunctionExpression(it) => self.parameters(function, is_entry, &it.params),
            _ => {}
        }
    }
}

/// Whether a type is the engine's `Context`.
fn is_context(annotation: &TSTypeAnnotation<'_>) -> bool {
    match &annotation.type_annotation {
        TSType::TSTypeReference(reference) => match &reference.type_name {
            TSTypeName::IdentifierReference(name) => name.name == "Context",
            _ => false,
        },
        _ => false,
    }
}

impl<'a> Visit<'a> for Bindings<'_> {
    fn visit_function(&mut self, it: &Function<'a>, flags: ScopeFlags) {
        let symbol = it.id.as_ref().and_then(|id| id.symbol_id.get());
        self.parameters(symbol, symbol.is_some() && symbol == self.entry, &it.params);
        walk::walk_function(self, it, flags);
    }

    fn visit_arrow_function_expression(&mut self, it: &ArrowFunctionExpression<'a>) {
        self.parameters(None, false, &it.params);
        walk::walk_arrow_function_expression(self, it);
    }

    fn visit_export_default_declaration_kind(&mut self, it: &ExportDefaultDeclarationKind<'a>) {
        match it {
            ExportDefaultDeclarationKind::FunctionDeclaration(it) => {
                self.parameters(None, true, &it.params);
            }
            it => {
                if let Some(expression) = it.as_expression() {
                    self.function(None, true, expression);
                }
            }
        }
        walk::walk_export_default_declaration_kind(self, it);
    }

    fn visit_variable_declarator(&mut self, it: &VariableDeclarator<'a>) {
        if let Some(init) = &it.init {
            let symbol = it
                .id
                .get_binding_identifier()
                .and_then(|id| id.symbol_id.get());
            self.function(symbol, symbol.is_some() && symbol == self.entry, init);
            let fixed = symbol.filter(|symbol| !self.scoping.symbol_is_mutated(*symbol));
            let meaning = self
                .meaning(init)
                .or_else(|| fixed.and(text(init)).map(Meaning::Text));
            if let Some(meaning) = meaning {
                self.bind(&it.id, &meaning);
            }
        }
        walk::walk_variable_declarator(self, it);
    }

    fn visit_call_expression(&mut self, it: &CallExpression<'a>) {
        if let Expression::Identifier(callee) = it.callee.get_inner_expression()
            && let Some(function) = self.symbol(callee)
        {
            let is_context = |argument: &Argument<'a>| {
                argument.as_expression().and_then(|it| self.meaning(it)) == Some(Meaning::Context)
            };
            let positions = it
                .arguments
                .iter()
                .enumerate()
                .filter(|(_, argument)| is_context(argument));
            let passed: Vec<_> = positions.map(|(index, _)| (function, index)).collect();
            self.passed.extend(passed);
        }
        walk::walk_call_expression(self, it);
    }
}
