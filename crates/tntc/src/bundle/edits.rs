//! Helpers that esbuild writes for `require` do not work in a module, so `deno bundle` (2.9) replaces them. It does so when
//! the source map is made already: the map is then that of a text with longer helpers. And it misses one that esbuild
//! has put into a statement with others. Here the text gets as much blank as was taken away, and what was missed is
//! replaced in its place.

use regex_lite::{Captures, Regex};

use crate::error::{Error, Result};

/// Ends of Deno's replacements, and the blank that makes them as long as what esbuild 0.25 had written. Names in a
/// minified helper have one letter, since those are the names that all functions share.
const REPLACED: [(&str, char, usize); 3] = [
    // `require`, six lines of which three are left.
    (
        r"var __require = __deno_internal_createRequire\(import\.meta\.url\);",
        '\n',
        3,
    ),
    // The same, minified: `(r=>typeof require<"u"?…)(function(r){…});`
    (
        r"var [\w$]+=__deno_internal_createRequire\(import\.meta\.url\);",
        ' ',
        122,
    ),
    // In `__toESM`, minified: `1 ?` for `e||!r||!r.__esModule?`.
    (r#":\{\},[\w$]+\(1 \?[\w$]+\([\w$]+,"default","#, ' ', 18),
];

/// `require`, minified, as `deno bundle` leaves it among other variables.
const MISSED: &str = r#"\([\w$]+=>typeof require<"u"\?require:typeof Proxy<"u"\?new Proxy\([\w$]+,\{get:[^;{}]*\}\):[\w$]+\)\(function\([\w$]+\)\{if\(typeof require<"u"\)return require\.apply\(this,arguments\);throw Error\('Dynamic require of "'\+[\w$]+\+'" is not supported'\)\}\)"#;

/// What takes its place, and the statement that it needs. Imports count from the start wherever they stand.
const REQUIRE: &str = "__tntc_createRequire(import.meta.url)";
const IMPORT: &str = "import{createRequire as __tntc_createRequire}from\"node:module\";\n";

/// The code of a bundle with a `require` that works, and everything where its source map says that it is.
///
/// # Errors
/// None that is known; the patterns are fixed.
pub fn repaired(code: &str) -> Result<String> {
    let mut code = code.to_owned();
    for (end, blank, length) in REPLACED {
        let blank = blank.to_string().repeat(length);
        code = pattern(end)?
            .replace(&code, format!("$0{blank}"))
            .into_owned();
    }
    let missed = pattern(MISSED)?;
    if missed.is_match(&code) {
        let in_place = |missed: &Captures<'_>| format!("{REQUIRE:0$}", missed[0].len());
        code = missed.replace(&code, in_place).trim_end().to_owned() + "\n" + IMPORT;
    }
    Ok(code)
}

fn pattern(text: &str) -> Result<Regex> {
    Regex::new(text).map_err(|cause| Error::failed(cause.to_string()))
}

#[cfg(test)]
mod tests {
    use super::repaired;

    const REQUIRE: &str = r#"(r=>typeof require<"u"?require:typeof Proxy<"u"?new Proxy(r,{get:(e,t)=>(typeof require<"u"?require:e)[t]}):r)(function(r){if(typeof require<"u")return require.apply(this,arguments);throw Error('Dynamic require of "'+r+'" is not supported')})"#;

    /// A bundle with `require` as given, and with this test in `__toESM`.
    fn bundle(require: &str, test: &str) -> String {
        let interop = format!(
            r#"var C=(r,e,t)=>(t=r!=null?_(b(r)):{{}},E({test}v(t,"default",{{value:r,enumerable:!0}}):t,r));"#
        );
        format!("var a=Object.create;{require}{interop}f();")
    }

    #[test]
    fn replaced_helpers_are_as_long_as_they_were() {
        let deno = r#"import{createRequire as __deno_internal_createRequire} from "node:module";var m=__deno_internal_createRequire(import.meta.url);"#;
        let before = bundle(&format!("var m={REQUIRE};"), "e||!r||!r.__esModule?");
        let after = bundle(deno, "1 ?");
        let repaired = repaired(&after).expect("patterns");
        assert_eq!(repaired.find("f();"), before.find("f();"));
        assert_eq!(repaired.replace(' ', ""), after.replace(' ', ""));
    }

    #[test]
    fn a_require_among_other_variables_is_replaced_in_its_place() {
        let before = bundle(&format!("var i=1,m={REQUIRE};"), "1 ?");
        let repaired = repaired(&before).expect("patterns");
        assert!(!repaired.contains("typeof require"), "{repaired}");
        assert!(repaired.contains("var i=1,m=__tntc_createRequire(import.meta.url) "));
        assert!(repaired.ends_with("node:module\";\n"), "{repaired}");
        // The blank of `__toESM`.
        let moved = before.find("f();").map(|at| at + 18);
        assert_eq!(repaired.find("f();"), moved);
    }

    #[test]
    fn code_without_such_helpers_stays_as_it_is() {
        let code = "var f=()=>1;export{f as default};\n";
        assert_eq!(repaired(code).expect("patterns"), code);
    }
}
