{% from 'sql.j2' import text with context %}
{% set account = servicegroup_exporter_account %}
{% set host = account.host | default('%') %}
{% set grantee = text("'" ~ account.name ~ "'@'" ~ host ~ "'") %}
-- 1: the account has the password and may read all columns.
SELECT (
  SELECT COUNT(*) FROM mysql.user
  WHERE User = {{ text(account.name) }} AND Host = {{ text(host) }} AND authentication_string = PASSWORD({{ text(account.password) }})
) = 1
{% for table, columns in account.tables.items() %}
AND (
{% if columns %}
  SELECT COUNT(*) FROM information_schema.column_privileges
  WHERE privilege_type = 'SELECT' AND grantee = {{ grantee }} AND CONCAT(table_schema, '.', table_name) = {{ text(table) }}
  AND column_name IN ({% for column in columns %}{{ text(column) }}{{ ', ' if not loop.last }}{% endfor %})
) = {{ columns | unique | length }}
{% else %}
  SELECT COUNT(*) FROM information_schema.table_privileges
  WHERE privilege_type = 'SELECT' AND grantee = {{ grantee }} AND CONCAT(table_schema, '.', table_name) = {{ text(table) }}
) = 1
{% endif %}
{% endfor %}
;
