//! What a `SELECT` puts out, and by what it groups and orders.

use sqlparser::ast::{
    Expr, GroupByExpr, OrderByExpr, OrderByKind, OrderBySort, Query, SelectItem,
    SelectItemQualifiedWildcardKind,
};

use super::query::{last_name, number};
use super::reader::{Reader, Source};
use super::walk;

impl Reader<'_> {
    pub(super) fn projection(
        &mut self,
        items: &[SelectItem],
    ) -> Result<Vec<(String, Expr)>, String> {
        let mut output = Vec::new();
        for item in items {
            match item {
                SelectItem::UnnamedExpr(expr) => {
                    let name = match walk::bare(expr) {
                        Expr::Identifier(name) => name.value.clone(),
                        Expr::CompoundIdentifier(parts) => parts
                            .last()
                            .map_or(String::new(), |part| part.value.clone()),
                        other => other.to_string(),
                    };
                    output.push((name, self.resolve(expr)?));
                }
                SelectItem::ExprWithAlias { expr, alias } => {
                    output.push((alias.value.clone(), self.resolve(expr)?));
                }
                SelectItem::Wildcard(_) => {
                    let sources = self.frames.last().map_or(Vec::new(), |f| f.sources.clone());
                    for source in &sources {
                        output.extend(self.columns_of(self.current(), source));
                    }
                }
                SelectItem::QualifiedWildcard(
                    SelectItemQualifiedWildcardKind::ObjectName(name),
                    _,
                ) => {
                    let alias = last_name(name).unwrap_or_default();
                    let sources = self.frames.last().map_or(Vec::new(), |f| f.sources.clone());
                    let same = |s: &&Source| s.alias.eq_ignore_ascii_case(&alias);
                    for source in sources.iter().filter(same) {
                        output.extend(self.columns_of(self.current(), source));
                    }
                }
                _ => {}
            }
        }
        Ok(output)
    }

    pub(super) fn grouping(
        &mut self,
        group: &GroupByExpr,
        output: &[(String, Expr)],
    ) -> Result<Vec<Expr>, String> {
        let GroupByExpr::Expressions(list, _) = group else {
            return Ok(Vec::new());
        };
        let mut keys = Vec::new();
        for expr in list {
            let key = match ordinal(expr, output) {
                Some(found) => found,
                // A column goes before an alias in `GROUP BY`.
                None => match self.own_column(expr) {
                    Some(found) => found,
                    None => self.with_aliases(expr, output)?,
                },
            };
            keys.push(walk::bare(&key).clone());
        }
        Ok(keys)
    }

    pub(super) fn own_column(&self, expr: &Expr) -> Option<Expr> {
        let Expr::Identifier(name) = expr else {
            return None;
        };
        let frame = self.frames.last()?;
        frame.sources.iter().find_map(|source| {
            self.columns_of(frame.block, source)
                .into_iter()
                .find(|(own, _)| own.eq_ignore_ascii_case(&name.value))
                .map(|(_, expr)| expr)
        })
    }

    /// Resolves an expression in which a bare name may be an alias of the results.
    pub(super) fn with_aliases(
        &mut self,
        expr: &Expr,
        output: &[(String, Expr)],
    ) -> Result<Expr, String> {
        let mut copy = expr.clone();
        let mut aliases = Vec::new();
        walk::substitute(&mut copy, &|expr| match expr {
            Expr::Identifier(name) => {
                output
                    .iter()
                    .any(|(own, _)| own.eq_ignore_ascii_case(&name.value))
                    .then(|| {
                        // A variable is left alone by the resolution.
                        Expr::Identifier(format!("@\u{1}{}", name.value).as_str().into())
                    })
            }
            _ => None,
        });
        aliases.extend(output.iter().cloned());
        let mut resolved = self.resolve(&copy)?;
        walk::substitute(&mut resolved, &|expr| match walk::bare(expr) {
            Expr::Identifier(name) => {
                let name = name.value.strip_prefix("@\u{1}")?;
                aliases
                    .iter()
                    .find(|(own, _)| own.eq_ignore_ascii_case(name))
                    .map(|(_, expr)| expr.clone())
            }
            _ => None,
        });
        Ok(resolved)
    }

    pub(super) fn keys(
        &mut self,
        query: &Query,
        output: &[(String, Expr)],
    ) -> Result<Vec<(Expr, bool)>, String> {
        let Some(OrderByKind::Expressions(list)) = query.order_by.as_ref().map(|o| &o.kind) else {
            return Ok(Vec::new());
        };
        self.ordering(list, output)
    }

    pub(super) fn ordering(
        &mut self,
        list: &[OrderByExpr],
        output: &[(String, Expr)],
    ) -> Result<Vec<(Expr, bool)>, String> {
        let mut keys = Vec::new();
        for key in list {
            let is_descending = matches!(key.options.sort, Some(OrderBySort::Desc));
            let expr = match ordinal(&key.expr, output) {
                Some(found) => found,
                None => self.with_aliases(&key.expr, output)?,
            };
            keys.push((walk::bare(&expr).clone(), is_descending));
        }
        Ok(keys)
    }
}

fn ordinal(expr: &Expr, output: &[(String, Expr)]) -> Option<Expr> {
    let place = usize::try_from(number(expr)?).ok()?.checked_sub(1)?;
    output.get(place).map(|(_, expr)| expr.clone())
}
