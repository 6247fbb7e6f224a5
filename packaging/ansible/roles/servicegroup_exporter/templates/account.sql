{% from 'sql.j2' import text, name with context %}
{% set account = servicegroup_exporter_account %}
{% set user = text(account.name) ~ '@' ~ text(account.host | default('%')) %}
CREATE USER IF NOT EXISTS {{ user }};
ALTER USER {{ user }} IDENTIFIED BY {{ text(account.password) }};
{% for table, columns in account.tables.items() %}
{% set database, table = table.split('.', 1) %}
GRANT SELECT{% if columns %} ({% for column in columns %}{{ name(column) }}{{ ', ' if not loop.last }}{% endfor %}){% endif %} ON {{ name(database) }}.{{ name(table) }} TO {{ user }};
{% endfor %}
