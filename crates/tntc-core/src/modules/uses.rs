//! What one file does with the context and with the network.

use oxc_ast::ast::{
    Argument, BindingPattern, BindingProperty, CallExpression, Expression, FormalParameter,
    MemberExpression, Program, VariableDeclarator,
};
use oxc_ast_visit::{Visit, walk};
use oxc_span::Span;

use super::bindings::{Bindings, Meaning};
use super::model::{Use, UseKind, place};
use super::taint::Taint;
use crate::diagnostic::Source;

const FETCH: &str = "fetch";
/// Objects whose `fetch` is the runtime's own.
const GLOBALS: [&str; 3] = ["globalThis", "self", "window"];

pub(super) fn of(
    program: &Program<'_>,
    bindings: &Bindings<'_>,
    taint: &Taint<'_, '_>,
    source: &Source<'_>,
) -> Vec<Use> {
    let mut finder = Finder {
        bindings,
        taint,
        source,
        found: Vec::new(),
    };
    finder.visit_program(program);
    finder.found.sort_by_key(|found| found.place);
    finder.found.dedup();
    finder.found
}

struct Finder<'b, 's> {
    bindings: &'b Bindings<'s>,
    taint: &'b Taint<'b, 's>,
    source: &'b Source<'b>,
    found: Vec<Use>,
}

impl Finder<'_, '_> {
    fn add(&mut self, kind: UseKind, span: Span) {
        self.found.push(Use {
            kind,
            place: place(self.source, span.start as usize),
        });
    }

    fn called(&self, it: &CallExpression<'_>) -> Option<UseKind> {
        let first = it
            .arguments
            .first()
            .and_then(Argument::as_expression)
            .and_then(|first| self.bindings.text(first));
        match self.bindings.meaning(&it.callee) {
            Some(Meaning::Member(name)) if name == "dependency" => Some(UseKind::Dependency(first)),
            Some(Meaning::Member(name)) if name == "fetch" => Some(UseKind::ContextFetch(first)),
            Some(_) => None,
            None => self
                .is_global_fetch(&it.callee)
                .then_some(UseKind::GlobalFetch(first)),
        }
    }

    /// The URL of a request: the global `fetch`, or one of the same name of a dependency or the context.
    fn requested<'c, 'a>(&self, it: &'c CallExpression<'a>) -> Option<&'c Expression<'a>> {
        let callee = it.callee.get_inner_expression();
        let position = match self.bindings.meaning(callee) {
            // ctx.fetch(service, path)
            Some(Meaning::Member(name)) => (name == FETCH).then_some(1)?,
            Some(_) => return None,
            None => 0,
        };
        let is_fetch = match callee {
            Expression::Identifier(it) => position == 1 || it.name == FETCH,
            Expression::ChainExpression(it) => {
                let member = it.expression.as_member_expression()?;
                member.static_property_name() == Some(FETCH)
            }
            it => it.as_member_expression()?.static_property_name() == Some(FETCH),
        };
        let argument = it.arguments.get(position).filter(|_| is_fetch)?;
        argument.as_expression()
    }

    fn is_global_fetch(&self, callee: &Expression<'_>) -> bool {
        let callee = callee.get_inner_expression();
        if let Expression::Identifier(identifier) = callee {
            return identifier.name == "fetch" && self.bindings.is_global(identifier);
        }
        let Some(member) = callee.as_member_expression() else {
            return false;
        };
        let Expression::Identifier(object) = member.object().get_inner_expression() else {
            return false;
        };
        let is_global = GLOBALS.contains(&object.name.as_str()) && self.bindings.is_global(object);
        is_global && member.static_property_name() == Some("fetch")
    }

    /// `const { secrets } = ctx` and the same in parameters: taking the secrets out is the use.
    fn taken(&mut self, pattern: &BindingPattern<'_>, is_context: bool) {
        let BindingPattern::ObjectPattern(object) = pattern else {
            return;
        };
        let takes_secrets = |property: &&BindingProperty<'_>| {
            property.key.static_name().as_deref() == Some("secrets")
        };
        if let Some(property) = object
            .properties
            .iter()
            .find(takes_secrets)
            .filter(|_| is_context)
        {
            self.add(UseKind::Secrets, property.span);
        }
    }
}

impl<'a> Visit<'a> for Finder<'_, '_> {
    fn visit_call_expression(&mut self, it: &CallExpression<'a>) {
        if let Some(kind) = self.called(it) {
            self.add(kind, it.span);
        }
        if self.requested(it).is_some_and(|url| self.taint.holds(url)) {
            self.add(UseKind::SecretInUrl, it.span);
        }
        walk::walk_call_expression(self, it);
    }

    fn visit_member_expression(&mut self, it: &MemberExpression<'a>) {
        if self.bindings.meaning_of_member(it) == Some(Meaning::Member("secrets".to_owned())) {
            let span = match it {
                MemberExpression::StaticMemberExpression(it) => it.span,
                MemberExpression::ComputedMemberExpression(it) => it.span,
                MemberExpression::PrivateFieldExpression(it) => it.span,
            };
            self.add(UseKind::Secrets, span);
        }
        if let MemberExpression::ComputedMemberExpression(computed) = it
            && it.static_property_name().is_none()
            && self.bindings.is_context(it.object())
        {
            self.add(UseKind::Member, computed.span);
        }
        walk::walk_member_expression(self, it);
    }

    fn visit_variable_declarator(&mut self, it: &VariableDeclarator<'a>) {
        let is_context = it
            .init
            .as_ref()
            .and_then(|init| self.bindings.meaning(init))
            == Some(Meaning::Context);
        self.taken(&it.id, is_context);
        walk::walk_variable_declarator(self, it);
    }

    fn visit_formal_parameter(&mut self, it: &FormalParameter<'a>) {
        let is_context = self.bindings.is_context_parameter(it);
        self.taken(&it.pattern, is_context);
        walk::walk_formal_parameter(self, it);
    }
}
