package config

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	promconfig "github.com/prometheus/common/config"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/suggest"
)

// validateHTTP checks the same as [promconfig.HTTPClientConfig.Validate], but returns the setting of each error. Then it calls
// that method, which also converts deprecated settings to their new form.
func validateHTTP(c *promconfig.HTTPClientConfig) []error {
	errs := slices.Concat(
		validateMethods(c), validateBasicAuth(c.BasicAuth), validateAuthorization(c.Authorization), validateOAuth2(c.OAuth2),
		validateTLS("tls_config.", &c.TLSConfig), validateProxy("", &c.ProxyConfig), validateHeaders(c.HTTPHeaders),
	)
	if len(errs) == 0 {
		if err := c.Validate(); err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// validateMethods checks that at most one authentication setting is used.
func validateMethods(c *promconfig.HTTPClientConfig) []error {
	var set []string
	for _, m := range []struct {
		name string
		set  bool
	}{
		{"basic_auth", c.BasicAuth != nil},
		{"authorization", c.Authorization != nil},
		{"oauth2", c.OAuth2 != nil},
		{"bearer_token", c.BearerToken != ""},
		{"bearer_token_file", c.BearerTokenFile != ""},
	} {
		if m.set {
			set = append(set, m.name)
		}
	}
	if len(set) < 2 {
		return nil
	}
	return []error{drivers.Field(set[1], "%s is set too; keep one of them", set[0])}
}

// oneOf checks that a value is not set both as text and as a file.
func oneOf(prefix, name, text, file string) []error {
	if text == "" || file == "" {
		return nil
	}
	return []error{drivers.Field(prefix+name+"_file", "%s is set too; keep one of them", name)}
}

func validateBasicAuth(c *promconfig.BasicAuth) []error {
	if c == nil {
		return nil
	}
	return append(oneOf("basic_auth.", "username", c.Username, c.UsernameFile),
		oneOf("basic_auth.", "password", string(c.Password), c.PasswordFile)...)
}

func validateAuthorization(c *promconfig.Authorization) []error {
	if c == nil {
		return nil
	}
	errs := oneOf("authorization.", "credentials", string(c.Credentials), c.CredentialsFile)
	if strings.EqualFold(strings.TrimSpace(c.Type), "basic") {
		errs = append(errs, drivers.Field("authorization.type", "is %s: write basic_auth with username and password instead", suggest.Quote(c.Type)))
	}
	return errs
}

func validateOAuth2(c *promconfig.OAuth2) []error {
	if c == nil {
		return nil
	}
	errs := slices.Concat(
		oneOf("oauth2.", "client_secret", string(c.ClientSecret), c.ClientSecretFile),
		oneOf("oauth2.", "client_certificate_key", string(c.ClientCertificateKey), c.ClientCertificateKeyFile),
		validateTLS("oauth2.tls_config.", &c.TLSConfig), validateProxy("oauth2.", &c.ProxyConfig),
	)
	if c.ClientID == "" {
		errs = append(errs, drivers.Field("oauth2.client_id", "is missing"))
	}
	// The error does not show the URL, which may contain a password.
	if u, err := url.Parse(c.TokenURL); err != nil || !isHTTP(u) || u.User != nil {
		errs = append(errs, drivers.Field("oauth2.token_url", "must be a URL like https://login.example.com/token, without a user"))
	}
	return errs
}

func validateTLS(prefix string, c *promconfig.TLSConfig) []error {
	errs := slices.Concat(
		oneOf(prefix, "ca", c.CA, c.CAFile),
		oneOf(prefix, "cert", c.Cert, c.CertFile),
		oneOf(prefix, "key", string(c.Key), c.KeyFile),
	)
	cert, key := c.Cert != "" || c.CertFile != "", c.Key != "" || c.KeyFile != ""
	switch {
	case cert && !key:
		errs = append(errs, drivers.Field(prefix+"key_file", "is missing: the certificate needs its key"))
	case key && !cert:
		errs = append(errs, drivers.Field(prefix+"cert_file", "is missing: the key needs its certificate"))
	}
	if c.MinVersion != 0 && c.MaxVersion != 0 && c.MinVersion > c.MaxVersion {
		errs = append(errs, drivers.Field(prefix+"max_version", "is %s, less than min_version, which is %s", c.MaxVersion.String(), c.MinVersion.String()))
	}
	return errs
}

func validateProxy(prefix string, c *promconfig.ProxyConfig) []error {
	proxy := c.ProxyURL.URL != nil && c.ProxyURL.String() != ""
	if proxy && c.ProxyURL.Hostname() == "" {
		return []error{drivers.Field(prefix+"proxy_url", "%s is not a URL like http://proxy:3128", quoteURL(c.ProxyURL.String()))}
	}
	switch {
	case c.ProxyFromEnvironment && proxy:
		return []error{drivers.Field(prefix+"proxy_from_environment", "proxy_url is set too; keep one of them")}
	case c.ProxyFromEnvironment && c.NoProxy != "":
		return []error{drivers.Field(prefix+"no_proxy", "can't be set together with proxy_from_environment")}
	case !proxy && !c.ProxyFromEnvironment && c.NoProxy != "":
		return []error{drivers.Field(prefix+"no_proxy", "has no effect without proxy_url")}
	case !proxy && !c.ProxyFromEnvironment && len(c.ProxyConnectHeader) > 0:
		return []error{drivers.Field(prefix+"proxy_connect_header", "has no effect without proxy_url")}
	}
	return nil
}

func validateHeaders(c *promconfig.Headers) []error {
	if c == nil {
		return nil
	}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(c.Headers)) {
		if _, reserved := promconfig.ReservedHeaders[http.CanonicalHeaderKey(name)]; reserved {
			errs = append(errs, drivers.Field("http_headers."+name, "is a header that the HTTP client sets itself"))
		}
	}
	return errs
}
