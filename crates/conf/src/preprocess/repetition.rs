//! `~SEQ`, `~SEQx` and `~LST`: the rest of the line once for each value.

use std::rc::Rc;

use super::definitions::{Definition, Value, name_length};
use super::reader::Reader;
use crate::diagnostic::{Class, Diagnostic, repeated};
use crate::source::Span;

/// What a repetition goes through.
#[derive(Debug, PartialEq, Eq)]
enum Plan {
    /// `~SEQ(NAME, START, STEP, END)`
    Sequence { name: String, start: i64, step: i64, end: i64, hexadecimal: bool },
    /// `~LST({NAMES}, {VALUES}, …)`
    List { names: Vec<String>, values: Vec<Vec<String>> },
}

/// A refusal: keepalived's words, and what would have been right.
type Refusal = (&'static str, &'static str);

impl Reader<'_> {
    /// Work on a line that starts with a repetition; false if it does not.
    pub(super) fn repeat(&mut self, span: Span, context: u32) -> bool {
        let text = self.sources.text(span);
        let (kind, after) = if let Some(after) = text.strip_prefix("~SEQx") {
            ("SEQx", after)
        } else if let Some(after) = text.strip_prefix("~SEQ") {
            ("SEQ", after)
        } else if let Some(after) = text.strip_prefix("~LST") {
            ("LST", after)
        } else {
            return false;
        };
        let Some(arguments) = after.trim_ascii_start().strip_prefix('(') else { return false };
        let open = text.len() - arguments.len();
        let Some(length) = arguments.find(')') else {
            self.refuse(span, context, kind, ("parameter strings too long", "close the parenthesis on the same line"));
            return true;
        };
        let inside = Span::new(span.start + open as u32, length as u32);
        let head = Span::new(span.start, (open + length + 1) as u32);
        let rest = Span::new(head.end(), span.end() - head.end());
        let (arguments, _) = self.replaced(inside, context, false);
        let arguments = self.sources.text(arguments);
        let plan = if kind == "LST" { list(arguments) } else { sequence(arguments, kind == "SEQx") };
        match plan {
            Ok(plan) => self.run(plan, head, rest, context),
            Err(refusal) => self.refuse(span, context, kind, refusal),
        }
        true
    }

    fn refuse(&mut self, span: Span, context: u32, kind: &str, (what, remedy): Refusal) {
        let kind = kind.trim_end_matches('x');
        let line = repeated(self.sources.text(span));
        let at = self.located(span, context);
        self.diagnostics.push(
            Diagnostic::new(Class::GeneralError, "repetition", format!("Invalid ~{kind} specification '{line}'"))
                .at(at)
                .label(what)
                .consequence("the line is not read")
                .help(remedy),
        );
    }

    fn run(&mut self, plan: Plan, head: Span, rest: Span, context: u32) {
        if self.depth >= self.options.limits.expansion_depth {
            self.endless_definition(head, context);
            return;
        }
        let count = match &plan {
            Plan::Sequence { start, step, end, .. } => (i128::from(*end) - i128::from(*start)) / i128::from(*step) + 1,
            Plan::List { values, .. } => values.len() as i128,
        };
        if count > i128::from(self.made_lines_left()) {
            let at = self.located(head, context);
            self.diagnostics.push(
                Diagnostic::new(
                    Class::GeneralError,
                    "too-many-repetitions",
                    format!("Repetition of {count} times - ignoring"),
                )
                .at(at)
                .label("too many")
                .consequence("the line is not read")
                .help(format!("{} lines may still be made", self.made_lines_left())),
            );
            return;
        }
        let defined = self.located(head, context);
        let place = self.sources.definition(defined);
        self.depth += 1;
        match plan {
            Plan::Sequence { name, start, step, end, hexadecimal } => {
                let mut value = start;
                while if step > 0 { value <= end } else { value >= end } {
                    if !self.count_made_line(head) {
                        break;
                    }
                    self.set(&name, if hexadecimal { format!("{value:x}") } else { value.to_string() }, place);
                    self.line(rest, context, false);
                    let Some(next) = value.checked_add(step) else { break };
                    value = next;
                }
            }
            Plan::List { names, values } => {
                for tuple in values {
                    if !self.count_made_line(head) {
                        break;
                    }
                    let mut members = tuple.into_iter();
                    for name in &names {
                        self.set(name, members.next().unwrap_or_default(), place);
                    }
                    self.line(rest, context, false);
                }
            }
        }
        self.depth -= 1;
    }

    fn set(&mut self, name: &str, value: String, place: u32) {
        let definition = Definition { value: Value::Counted(Rc::from(value)), place };
        match self.definitions.get_mut(name) {
            Some(known) => *known = definition,
            None => {
                self.definitions.insert(name.to_owned(), definition);
            }
        }
    }
}

/// `NAME, [START,] [STEP,] END`, numbers in any base.
fn sequence(arguments: &str, hexadecimal: bool) -> Result<Plan, Refusal> {
    const FORM: &str = "write ~SEQ(NAME, START, STEP, END); START and STEP may be left out";
    let parts: Vec<&str> = arguments.split(',').map(str::trim_ascii).collect();
    let [name, numbers @ ..] = parts.as_slice() else { return Err(("Invalid ~SEQ definition", FORM)) };
    let numbers: Option<Vec<i64>> = numbers.iter().map(|number| any_base(number)).collect();
    let Some(numbers) = numbers else { return Err(("a number was expected", FORM)) };
    if !is_name(name) {
        return Err((
            "the name of the variable is no name",
            "a name is letters, digits and _, and starts with no digit",
        ));
    }
    let direction = |start: i64, end: i64| if end >= start { 1 } else { -1 };
    let (start, step, end) = match numbers.as_slice() {
        [end] => {
            let start = if *end > 0 { 1 } else { -1 };
            // Observed: ~SEQ(I, 0) counts 1, 0.
            let start = if *end == 0 { 1 } else { start };
            (start, direction(start, *end), *end)
        }
        [start, end] => (*start, direction(*start, *end), *end),
        [start, step, end] => (*start, *step, *end),
        _ => return Err(("Invalid ~SEQ definition", FORM)),
    };
    if step == 0 || (start < end && step < 0) || (start > end && step > 0) {
        return Err(("the step never reaches the end", "the step must lead from START to END"));
    }
    if hexadecimal && (start < 0 || end < 0) {
        return Err(("~SEQx is only valid for positive numbers", "use ~SEQ"));
    }
    Ok(Plan::Sequence { name: (*name).to_owned(), start, step, end, hexadecimal })
}

/// As C reads numbers: `0x1f`, `017`, `15`.
fn any_base(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (digits, base) = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None if digits.len() > 1 && digits.starts_with('0') => (&digits[1..], 8),
        None => (digits, 10),
    };
    if !digits.starts_with(|first: char| first.is_ascii_hexdigit()) {
        return None;
    }
    let value = i64::from_str_radix(digits, base).ok()?;
    Some(if negative { -value } else { value })
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && name_length(text.as_bytes()) == text.len()
}

/// `NAME, VALUE, …` or `{NAME, NAME}, {VALUE, VALUE}, …`.
fn list(arguments: &str) -> Result<Plan, Refusal> {
    const FORM: &str = "write ~LST(NAME, VALUE, VALUE) or ~LST({NAME, NAME}, {VALUE, VALUE}, {VALUE, VALUE})";
    let groups = groups(arguments).ok_or(("Invalid ~LST specification", FORM))?;
    let mut groups = groups.into_iter();
    let names = groups.next().ok_or(("Invalid ~LST specification", FORM))?;
    let values: Vec<Vec<String>> = groups.collect();
    if values.is_empty() {
        return Err(("no values", FORM));
    }
    if !names.iter().all(|name| is_name(name)) {
        return Err((
            "the name of the variable is no name",
            "a name is letters, digits and _, and starts with no digit",
        ));
    }
    if values.iter().any(|tuple| tuple.len() > names.len()) {
        return Err(("~LST specification has too many values", "give each tuple as many values as there are names"));
    }
    // Observed: a blank within a value is refused.
    if values.iter().flatten().any(|value| value.contains(|letter: char| letter.is_ascii_whitespace())) {
        return Err((
            "a value has a blank in it",
            "values are separated by commas; define a `$NAME` for one that has blanks",
        ));
    }
    Ok(Plan::List { names, values })
}

/// Members at the commas; those in braces are several.
fn groups(arguments: &str) -> Option<Vec<Vec<String>>> {
    let members = |text: &str| text.split(',').map(|member| member.trim_ascii().to_owned()).collect::<Vec<_>>();
    let mut made = Vec::new();
    let mut rest = arguments.trim_ascii();
    loop {
        if let Some(inner) = rest.strip_prefix('{') {
            let (inside, after) = inner.split_once('}')?;
            made.push(members(inside));
            rest = after.trim_ascii_start();
            match rest.strip_prefix(',') {
                Some(after) => rest = after.trim_ascii_start(),
                None if rest.is_empty() => return Some(made),
                None => return None,
            }
        } else {
            let Some((member, after)) = rest.split_once(',') else {
                made.push(vec![rest.trim_ascii().to_owned()]);
                return Some(made);
            };
            made.push(vec![member.trim_ascii().to_owned()]);
            rest = after.trim_ascii_start();
        }
    }
}
