"""See sequences run out before they do.

A sequence, or the column that it numbers, that has used 70 % of its values fails some day with each
INSERT.
"""

from __future__ import annotations

from confiture_flows.lint.catalog_rule import CatalogRule
from confiture_flows.report.finding import Severity

QUERY = """
WITH numbered AS (
    SELECT s.seqrelid::regclass AS sequence,
           -- pg_sequences would lock each sequence ROW EXCLUSIVE; a SELECT does not.
           (xpath('/row/last_value/text()', query_to_xml(
               format('SELECT last_value FROM %s', s.seqrelid::regclass), true, true, ''))
           )[1]::text::numeric AS last_value,
           least(s.seqmax, CASE a.atttypid WHEN 'int2'::regtype THEN 32767
                                           WHEN 'int4'::regtype THEN 2147483647 END) AS last
    FROM pg_sequence s
    LEFT JOIN pg_depend d ON d.objid = s.seqrelid AND d.classid = 'pg_class'::regclass
        AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
    LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    WHERE NOT s.seqcycle AND s.seqincrement > 0 AND has_sequence_privilege(s.seqrelid, 'SELECT')
)
SELECT format('%s has used %s %% of its values.', sequence, round(100.0 * last_value / last)),
       'Change the column and the sequence to bigint in time.'
FROM numbered WHERE last_value > 0.7 * last
ORDER BY 1
"""
RULE = CatalogRule("CFD5", "constraint.no_exhausted_sequence", Severity.WARNING, QUERY, __doc__)
