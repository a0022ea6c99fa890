//! Helpers that esbuild writes for `require` do not work in a module, so `deno bundle` (2.9) replaces them. It does so
//! when the source map is made already: the map is then that of a text with longer helpers. And it misses one that
//! esbuild has put into a statement with others. Here the text gets as much blank as was taken away, and what was missed
//! is replaced in its place.

use std::ops::Range;

use regex_lite::Regex;

use crate::outcome::{Error, Result};

/// A text that is looked for, as a literal part of it and as a whole: most bundles lack the part, and that shows at once.
struct Text {
    part: &'static str,
    whole: &'static str,
}

/// Ends of Deno's replacements, and the blank that makes them as long as what esbuild 0.25 had written. Names in a
/// minified helper have one letter, since those are the names that all functions share.
const REPLACED: [(Text, char, usize); 3] = [
    // `require`, six lines of which three are left.
    (
        Text {
            part: " = __deno_internal_createRequire",
            whole: r"var __require = __deno_internal_createRequire\(import\.meta\.url\);",
        },
        '\n',
        3,
    ),
    // The same, minified: `(r=>typeof require<"u"?…)(function(r){…});`
    (
        Text {
            part: "=__deno_internal_createRequire",
            whole: r"var [\w$]+=__deno_internal_createRequire\(import\.meta\.url\);",
        },
        ' ',
        122,
    ),
    // In `__toESM`, minified: `1 ?` for `e||!r||!r.__esModule?`.
    (
        Text {
            part: "(1 ?",
            whole: r#":\{\},[\w$]+\(1 \?[\w$]+\([\w$]+,"default","#,
        },
        ' ',
        18,
    ),
];

/// `require`, minified, as `deno bundle` leaves it among other variables.
const MISSED: Text = Text {
    part: r#"=>typeof require<"u"?require:"#,
    whole: r#"\([\w$]+=>typeof require<"u"\?require:typeof Proxy<"u"\?new Proxy\([\w$]+,\{get:[^;{}]*\}\):[\w$]+\)\(function\([\w$]+\)\{if\(typeof require<"u"\)return require\.apply\(this,arguments\);throw Error\('Dynamic require of "'\+[\w$]+\+'" is not supported'\)\}\)"#,
};

/// What takes its place, and the statement that it needs. Imports count from the start wherever they stand.
const REQUIRE: &str = "__tntc_createRequire(import.meta.url)";
const IMPORT: &str = "import{createRequire as __tntc_createRequire}from\"node:module\";\n";

/// Modules of Node in a bundle, as both shapes of it write them.
const OF_NODE: [&str; 2] = ["\"node:", "'node:"];

/// Packages ask `node:os` and `process` for what the engine must answer in their place. It does so in the module that it
/// has put in the place of this one, which a package that calls `require` would not load.
const ANSWERS: &str = "import\"node:os\";\n";

/// The code of a bundle with a `require` that works, and everything where its source map says that it is.
///
/// # Errors
/// None that is known; the patterns are fixed.
pub fn repaired(mut code: String) -> Result<String> {
    for (text, blank, length) in REPLACED {
        if let Some(found) = text.find(&code)? {
            code.insert_str(found.end, &blank.to_string().repeat(length));
        }
    }
    if let Some(missed) = MISSED.find(&code)? {
        let in_place = format!("{REQUIRE:0$}", missed.len());
        code.replace_range(missed, &in_place);
        append(&mut code, IMPORT);
    }
    if OF_NODE.iter().any(|it| code.contains(it)) {
        append(&mut code, ANSWERS);
    }
    Ok(code)
}

fn append(code: &mut String, line: &str) {
    code.truncate(code.trim_end().len());
    code.push('\n');
    code.push_str(line);
}

impl Text {
    /// Where it stands first.
    fn find(&self, code: &str) -> Result<Option<Range<usize>>> {
        if !code.contains(self.part) {
            return Ok(None);
        }
        let whole = Regex::new(self.whole).map_err(|cause| Error::failed(cause.to_string()))?;
        Ok(whole.find(code).map(|found| found.range()))
    }
}

#[cfg(test)]
mod tests {
    use super::{ANSWERS, IMPORT, repaired};

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
        let repaired = repaired(after.clone()).expect("patterns");
        assert_eq!(repaired.find("f();"), before.find("f();"));
        let repaired = repaired.strip_suffix(&format!("\n{ANSWERS}"));
        let repaired = repaired.expect("a bundle with modules of Node");
        assert_eq!(repaired.replace(' ', ""), after.replace(' ', ""));
    }

    #[test]
    fn a_require_among_other_variables_is_replaced_in_its_place() {
        let before = bundle(&format!("var i=1,m={REQUIRE};"), "1 ?");
        let repaired = repaired(before.clone()).expect("patterns");
        assert!(!repaired.contains("typeof require"), "{repaired}");
        assert!(repaired.contains("var i=1,m=__tntc_createRequire(import.meta.url) "));
        let end = format!("{IMPORT}{ANSWERS}");
        assert!(repaired.ends_with(&end), "{repaired}");
        // The blank of `__toESM`.
        let moved = before.find("f();").map(|at| at + 18);
        assert_eq!(repaired.find("f();"), moved);
    }

    #[test]
    fn code_without_such_helpers_stays_as_it_is() {
        let code = "var f=()=>1;export{f as default};\n";
        assert_eq!(repaired(code.to_owned()).expect("patterns"), code);
    }
}
