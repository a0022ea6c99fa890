//! Which expressions of a file hold the text of a secret.
//!
//! A value made of a secret by a function of the workflow's own, such as a signature, is not one: only what keeps the text
//! is followed.

use std::collections::HashSet;

use oxc_ast::ast::{
    Argument, ArrayExpressionElement, BindingPattern, CallExpression, Expression,
    IdentifierReference, ObjectPropertyKind, VariableDeclarator,
};
use oxc_ast_visit::{Visit, walk};
use oxc_semantic::Scoping;
use oxc_syntax::symbol::SymbolId;

use super::bindings::{Bindings, Meaning};

/// The member of a dependency, and of the context, that holds secrets.
const SECRET: &str = "secret";
const SECRETS: &str = "secrets";

/// Members of a URL that hold what it was made of.
const PARTS: [&str; 4] = ["href", "pathname", "search", "searchParams"];

/// Functions that give the text back as it is, or written in another way.
const KEEPING: [&str; 4] = ["encodeURIComponent", "encodeURI", "String", "btoa"];
const KEEPING_CLASSES: [&str; 2] = ["URL", "URLSearchParams"];
const KEEPING_METHODS: [&str; 4] = ["toString", "trim", "concat", "replace"];
/// Methods by which an object takes a value up.
const TAKING_METHODS: [&str; 2] = ["set", "append"];

/// Passes over a file at most: each follows a secret one name further.
const MAX_PASSES: usize = 8;

/// The names that hold secrets.
pub(super) struct Taint<'b, 's> {
    bindings: &'b Bindings<'s>,
    scoping: &'s Scoping,
    names: HashSet<SymbolId>,
}

impl<'b, 's> Taint<'b, 's> {
    pub(super) fn of(
        program: &oxc_ast::ast::Program<'_>,
        bindings: &'b Bindings<'s>,
        scoping: &'s Scoping,
    ) -> Self {
        let mut taint = Self {
            bindings,
            scoping,
            names: HashSet::new(),
        };
        for _ in 0..MAX_PASSES {
            let before = taint.names.len();
            taint.visit_program(program);
            if taint.names.len() == before {
                break;
            }
        }
        taint
    }

    /// Whether the text of a secret is in what the expression gives.
    pub(super) fn holds(&self, expression: &Expression<'_>) -> bool {
        match expression.get_inner_expression() {
            Expression::Identifier(it) => self.is_named(it),
            Expression::TemplateLiteral(it) => it.expressions.iter().any(|it| self.holds(it)),
            Expression::BinaryExpression(it) => self.holds(&it.left) || self.holds(&it.right),
            Expression::LogicalExpression(it) => self.holds(&it.left) || self.holds(&it.right),
            Expression::ConditionalExpression(it) => {
                self.holds(&it.consequent) || self.holds(&it.alternate)
            }
            Expression::AwaitExpression(it) => self.holds(&it.argument),
            Expression::ArrayExpression(it) => it.elements.iter().any(|it| self.in_element(it)),
            Expression::ObjectExpression(it) => it.properties.iter().any(|it| match it {
                ObjectPropertyKind::ObjectProperty(it) => self.holds(&it.value),
                ObjectPropertyKind::SpreadProperty(it) => self.holds(&it.argument),
            }),
            Expression::NewExpression(it) => {
                let name = it.callee.get_identifier_reference();
                name.is_some_and(|name| KEEPING_CLASSES.contains(&name.name.as_str()))
                    && self.in_any(&it.arguments)
            }
            Expression::CallExpression(it) => self.in_call(it),
            Expression::ChainExpression(it) => match &it.expression {
                oxc_ast::ast::ChainElement::CallExpression(it) => self.in_call(it),
                it => it
                    .as_member_expression()
                    .is_some_and(|it| self.in_member(it.object(), it.static_property_name())),
            },
            it => it
                .as_member_expression()
                .is_some_and(|it| self.in_member(it.object(), it.static_property_name())),
        }
    }

    /// `x.secret`, anything of `ctx.secrets`, and a URL's own parts.
    fn in_member(&self, object: &Expression<'_>, name: Option<&str>) -> bool {
        let is_part = name.is_some_and(|name| PARTS.contains(&name));
        name == Some(SECRET) || self.is_secrets(object) || (is_part && self.holds(object))
    }

    fn is_secrets(&self, expression: &Expression<'_>) -> bool {
        if self.bindings.meaning(expression) == Some(Meaning::Member(SECRETS.to_owned())) {
            return true;
        }
        let inner = expression.get_inner_expression();
        inner
            .as_member_expression()
            .is_some_and(|it| self.is_secrets(it.object()))
    }

    fn in_element(&self, element: &ArrayExpressionElement<'_>) -> bool {
        element.as_expression().is_some_and(|it| self.holds(it))
    }

    fn in_any(&self, arguments: &[Argument<'_>]) -> bool {
        let mut values = arguments.iter().filter_map(Argument::as_expression);
        values.any(|it| self.holds(it))
    }

    fn in_call(&self, call: &CallExpression<'_>) -> bool {
        let callee = call.callee.get_inner_expression();
        if let Expression::Identifier(it) = callee {
            return KEEPING.contains(&it.name.as_str()) && self.in_any(&call.arguments);
        }
        let Some(member) = callee.as_member_expression() else {
            return false;
        };
        let is_keeping = member
            .static_property_name()
            .is_some_and(|name| KEEPING_METHODS.contains(&name));
        is_keeping && (self.holds(member.object()) || self.in_any(&call.arguments))
    }

    fn is_named(&self, identifier: &IdentifierReference<'_>) -> bool {
        self.symbol(identifier)
            .is_some_and(|symbol| self.names.contains(&symbol))
    }

    fn symbol(&self, identifier: &IdentifierReference<'_>) -> Option<SymbolId> {
        let reference = self.scoping.get_reference(identifier.reference_id.get()?);
        reference.symbol_id()
    }

    /// `const { secret } = …`: a name for the member of that name, whatever it is taken from.
    fn take_apart(&mut self, pattern: &BindingPattern<'_>) {
        let BindingPattern::ObjectPattern(object) = pattern else {
            return;
        };
        for property in &object.properties {
            if property.key.static_name().as_deref() == Some(SECRET) {
                self.name(&property.value);
            }
        }
    }

    fn name(&mut self, pattern: &BindingPattern<'_>) {
        match pattern {
            BindingPattern::BindingIdentifier(it) => self.names.extend(it.symbol_id.get()),
            BindingPattern::AssignmentPattern(it) => self.name(&it.left),
            BindingPattern::ObjectPattern(it) => {
                it.properties.iter().for_each(|it| self.name(&it.value));
            }
            BindingPattern::ArrayPattern(it) => {
                it.elements.iter().flatten().for_each(|it| self.name(it));
            }
        }
    }
}

/// The name at the beginning of `url.searchParams.set`.
fn root<'e, 'a>(expression: &'e Expression<'a>) -> Option<&'e IdentifierReference<'a>> {
    match expression.get_inner_expression() {
        Expression::Identifier(it) => Some(it),
        it => root(it.as_member_expression()?.object()),
    }
}

impl<'a> Visit<'a> for Taint<'_, '_> {
    fn visit_variable_declarator(&mut self, it: &VariableDeclarator<'a>) {
        if let Some(init) = &it.init {
            self.take_apart(&it.id);
            if self.holds(init) {
                self.name(&it.id);
            }
        }
        walk::walk_variable_declarator(self, it);
    }

    fn visit_call_expression(&mut self, it: &CallExpression<'a>) {
        if let Some(member) = it.callee.get_inner_expression().as_member_expression()
            && let Some(method) = member.static_property_name()
            && TAKING_METHODS.contains(&method)
            && self.in_any(&it.arguments)
            && let Some(symbol) = root(member.object()).and_then(|it| self.symbol(it))
        {
            self.names.insert(symbol);
        }
        walk::walk_call_expression(self, it);
    }
}
