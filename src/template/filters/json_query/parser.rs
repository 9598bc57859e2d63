//! JMESPath's grammar.

use crate::value::Value;

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Compare {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

/// An expression.
#[derive(Clone, Debug)]
pub(crate) enum Expr {
    Current,
    Literal(Value),
    Field(String),
    Index(i64),
    Slice(Option<i64>, Option<i64>, i64),
    Sub(Box<Expr>, Box<Expr>),
    Pipe(Box<Expr>, Box<Expr>),
    Project(Box<Expr>, Box<Expr>),
    ProjectValues(Box<Expr>, Box<Expr>),
    Flatten(Box<Expr>),
    Filter(Box<Expr>, Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Not(Box<Expr>),
    Compare(Compare, Box<Expr>, Box<Expr>),
    List(Vec<Expr>),
    Hash(Vec<(String, Expr)>),
    Call(String, Vec<Expr>),
    Reference(Box<Expr>),
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Name(String),
    Quoted(String),
    Literal(Value),
    Number(i64),
    Op(&'static str),
    End,
}

const OPS: &[&str] = &[
    "[?", "[]", "||", "&&", "==", "!=", "<=", ">=", "[", "]", "{", "}", "(", ")", ".", "*", ",",
    ":", "|", "&", "<", ">", "!", "@",
];

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut rest = text;
    let mut tokens = Vec::new();
    while let Some(c) = rest.chars().next() {
        if c.is_whitespace() {
            rest = rest.trim_start();
        } else if c.is_ascii_alphabetic() || c == '_' {
            let len = rest
                .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
                .unwrap_or(rest.len());
            let (name, after) = rest.split_at(len);
            tokens.push(Token::Name(name.to_owned()));
            rest = after;
        } else if c.is_ascii_digit() || c == '-' {
            let len = rest
                .char_indices()
                .skip(1)
                .find(|(_, c)| !c.is_ascii_digit())
                .map_or(rest.len(), |(i, _)| i);
            let (number, after) = rest.split_at(len);
            tokens.push(Token::Number(
                number
                    .parse()
                    .map_err(|_| format!("`{number}` is no number"))?,
            ));
            rest = after;
        } else if matches!(c, '"' | '\'' | '`') {
            let (inner, after) = delimited(rest, c)?;
            tokens.push(match c {
                '"' => Token::Quoted(
                    serde_json::from_str::<String>(&format!("\"{inner}\""))
                        .map_err(|e| e.to_string())?,
                ),
                '\'' => Token::Literal(Value::str(inner.replace("\\'", "'"))),
                _ => {
                    let inner = inner.replace("\\`", "`");
                    let json = serde_json::from_str(inner.trim()).unwrap_or_else(|_| {
                        serde_json::Value::String(inner.trim_start().to_owned())
                    });
                    Token::Literal(Value::from_json(&json))
                }
            });
            rest = after;
        } else if let Some(op) = OPS.iter().find(|op| rest.starts_with(**op)) {
            tokens.push(Token::Op(op));
            rest = rest.get(op.len()..).unwrap_or_default();
        } else {
            return Err(format!("unexpected character `{c}`"));
        }
    }
    tokens.push(Token::End);
    Ok(tokens)
}

fn delimited(text: &str, quote: char) -> Result<(&str, &str), String> {
    let mut escaped = false;
    for (i, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => {
                return Ok((
                    text.get(1..i).unwrap_or_default(),
                    text.get(i + 1..).unwrap_or_default(),
                ));
            }
            _ => {}
        }
    }
    Err(format!("no closing {quote}"))
}

/// Reads an expression.
pub(crate) fn parse(text: &str) -> Result<Expr, String> {
    let mut parser = Parser {
        tokens: tokens(text)?,
        at: 0,
        depth: 0,
    };
    let expr = parser.expr(0)?;
    match parser.peek() {
        Token::End => Ok(expr),
        other => Err(format!("unexpected {other:?}")),
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

fn binding(token: &Token) -> u8 {
    match token {
        Token::Op("|") => 1,
        Token::Op("||") => 2,
        Token::Op("&&") => 3,
        Token::Op("==" | "!=" | "<" | "<=" | ">" | ">=") => 5,
        Token::Op("[]") => 9,
        Token::Op("[?") => 21,
        Token::Op(".") => 40,
        Token::Op("[") => 55,
        Token::Op("(") => 60,
        _ => 0,
    }
}

impl Parser {
    fn peek(&self) -> &Token {
        self.tokens.get(self.at).unwrap_or(&Token::End)
    }

    fn peek_second(&self) -> &Token {
        self.tokens.get(self.at + 1).unwrap_or(&Token::End)
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.at += 1;
        token
    }

    fn eat(&mut self, op: &str) -> bool {
        let found = matches!(self.peek(), Token::Op(known) if *known == op);
        if found {
            self.at += 1;
        }
        found
    }

    fn need(&mut self, op: &str) -> Result<(), String> {
        if self.eat(op) {
            Ok(())
        } else {
            Err(format!("expected `{op}`, found {:?}", self.peek()))
        }
    }

    fn expr(&mut self, power: u8) -> Result<Expr, String> {
        self.depth += 1;
        if self.depth > 64 {
            return Err("the expression is nested too deep".into());
        }
        let mut left = self.prefix()?;
        while binding(self.peek()) > power {
            left = self.infix(left)?;
        }
        self.depth -= 1;
        Ok(left)
    }

    fn prefix(&mut self) -> Result<Expr, String> {
        Ok(match self.next() {
            Token::Literal(value) => Expr::Literal(value),
            Token::Name(name) if *self.peek() == Token::Op("(") => {
                self.at += 1;
                let mut args = Vec::new();
                while !self.eat(")") {
                    if !args.is_empty() {
                        self.need(",")?;
                    }
                    args.push(if self.eat("&") {
                        Expr::Reference(Box::new(self.expr(0)?))
                    } else {
                        self.expr(0)?
                    });
                }
                Expr::Call(name, args)
            }
            Token::Name(name) | Token::Quoted(name) => Expr::Field(name),
            Token::Op("@") => Expr::Current,
            Token::Op("!") => Expr::Not(Box::new(self.expr(45)?)),
            Token::Op("(") => {
                let inner = self.expr(0)?;
                self.need(")")?;
                inner
            }
            Token::Op("*") => {
                let right = self.projection(20)?;
                Expr::ProjectValues(Box::new(Expr::Current), Box::new(right))
            }
            Token::Op("[]") => {
                let right = self.projection(9)?;
                Expr::Project(
                    Box::new(Expr::Flatten(Box::new(Expr::Current))),
                    Box::new(right),
                )
            }
            Token::Op("[?") => self.filter(Expr::Current)?,
            Token::Op("{") => self.hash()?,
            Token::Op("[") => match (self.peek(), self.peek_second()) {
                (Token::Number(_) | Token::Op(":"), _) => self.index(Expr::Current)?,
                (Token::Op("*"), Token::Op("]")) => {
                    self.at += 2;
                    let right = self.projection(20)?;
                    Expr::Project(Box::new(Expr::Current), Box::new(right))
                }
                _ => self.list()?,
            },
            other => return Err(format!("unexpected {other:?}")),
        })
    }

    fn infix(&mut self, left: Expr) -> Result<Expr, String> {
        let boxed = Box::new;
        Ok(match self.next() {
            Token::Op("|") => Expr::Pipe(boxed(left), boxed(self.expr(1)?)),
            Token::Op("||") => Expr::Or(boxed(left), boxed(self.expr(2)?)),
            Token::Op("&&") => Expr::And(boxed(left), boxed(self.expr(3)?)),
            Token::Op(op @ ("==" | "!=" | "<" | "<=" | ">" | ">=")) => {
                let op = match op {
                    "==" => Compare::Eq,
                    "!=" => Compare::Ne,
                    "<" => Compare::Lt,
                    "<=" => Compare::Le,
                    ">" => Compare::Gt,
                    _ => Compare::Ge,
                };
                Expr::Compare(op, boxed(left), boxed(self.expr(5)?))
            }
            Token::Op("[]") => {
                let right = self.projection(9)?;
                Expr::Project(boxed(Expr::Flatten(boxed(left))), boxed(right))
            }
            Token::Op("[?") => self.filter(left)?,
            Token::Op(".") => {
                if self.eat("*") {
                    let right = self.projection(20)?;
                    Expr::ProjectValues(boxed(left), boxed(right))
                } else {
                    let right = self.after_dot(40)?;
                    Expr::Sub(boxed(left), boxed(right))
                }
            }
            Token::Op("[") => match (self.peek(), self.peek_second()) {
                (Token::Op("*"), Token::Op("]")) => {
                    self.at += 2;
                    let right = self.projection(20)?;
                    Expr::Project(boxed(left), boxed(right))
                }
                _ => self.index(left)?,
            },
            other => return Err(format!("unexpected {other:?}")),
        })
    }

    /// What follows a dot: a field, a list, a hash or a function.
    fn after_dot(&mut self, power: u8) -> Result<Expr, String> {
        match self.peek() {
            Token::Name(_) | Token::Quoted(_) | Token::Op("*") => self.expr(power),
            Token::Op("[") => {
                self.at += 1;
                self.list()
            }
            Token::Op("{") => {
                self.at += 1;
                self.hash()
            }
            other => Err(format!("unexpected {other:?} after `.`")),
        }
    }

    /// What is applied to each item of a projection.
    fn projection(&mut self, power: u8) -> Result<Expr, String> {
        if binding(self.peek()) < 10 {
            return Ok(Expr::Current);
        }
        match self.peek() {
            Token::Op("[" | "[?") => self.expr_on_current(power),
            Token::Op(".") => {
                self.at += 1;
                self.after_dot(power)
            }
            other => Err(format!("unexpected {other:?}")),
        }
    }

    fn expr_on_current(&mut self, power: u8) -> Result<Expr, String> {
        self.depth += 1;
        if self.depth > 64 {
            return Err("the expression is nested too deep".into());
        }
        let mut left = Expr::Current;
        while binding(self.peek()) > power {
            left = self.infix(left)?;
        }
        self.depth -= 1;
        Ok(left)
    }

    fn filter(&mut self, left: Expr) -> Result<Expr, String> {
        let condition = self.expr(0)?;
        self.need("]")?;
        let right = if *self.peek() == Token::Op("[]") {
            Expr::Current
        } else {
            self.projection(21)?
        };
        Ok(Expr::Project(
            Box::new(Expr::Filter(Box::new(left), Box::new(condition))),
            Box::new(right),
        ))
    }

    /// `[1]`, `[a:b:c]`; the bracket is open.
    fn index(&mut self, left: Expr) -> Result<Expr, String> {
        let mut parts: [Option<i64>; 3] = [None; 3];
        let mut colons = 0;
        loop {
            match self.next() {
                Token::Number(number) => {
                    if let Some(part) = parts.get_mut(colons) {
                        *part = Some(number);
                    }
                }
                Token::Op(":") if colons < 2 => colons += 1,
                Token::Op("]") => break,
                other => return Err(format!("unexpected {other:?} in brackets")),
            }
        }
        let [first, second, third] = parts;
        if colons == 0 {
            let Some(index) = first else {
                return Err("an index is missing".into());
            };
            return Ok(Expr::Sub(Box::new(left), Box::new(Expr::Index(index))));
        }
        let slice = Expr::Slice(first, second, third.unwrap_or(1));
        let right = self.projection(20)?;
        Ok(Expr::Project(
            Box::new(Expr::Sub(Box::new(left), Box::new(slice))),
            Box::new(right),
        ))
    }

    fn list(&mut self) -> Result<Expr, String> {
        let mut items = Vec::new();
        loop {
            items.push(self.expr(0)?);
            if self.eat("]") {
                return Ok(Expr::List(items));
            }
            self.need(",")?;
        }
    }

    fn hash(&mut self) -> Result<Expr, String> {
        let mut members = Vec::new();
        loop {
            let name = match self.next() {
                Token::Name(name) | Token::Quoted(name) => name,
                other => return Err(format!("expected a key, found {other:?}")),
            };
            self.need(":")?;
            members.push((name, self.expr(0)?));
            if self.eat("}") {
                return Ok(Expr::Hash(members));
            }
            self.need(",")?;
        }
    }
}
