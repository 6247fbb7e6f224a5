package cli

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/promslog"
	promslogflag "github.com/prometheus/common/promslog/flag"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/suggest"
)

// parseError returns the error of a command line that can't be parsed. It names the flag with the wrong value, the new name of a
// flag of earlier versions, or the flag or command that was probably meant.
func (a *cli) parseError(err error) error {
	for _, arg := range a.Args {
		if arg == "--" {
			break // What follows is the command line of another program.
		}
		old, _, _ := strings.Cut(strings.TrimPrefix(arg, "--"), "=")
		if renamed := renamedFlags[old]; renamed != "" && strings.HasPrefix(arg, "--") {
			return usageError("the flag --%s no longer exists, use %s", old, renamed)
		}
	}
	context, _ := a.kingpin.ParseContext(a.Args)
	if wrong := wrongValue(context, err); wrong != nil {
		return usageError("%w (try --help)", wrong)
	}
	return usageError("%w (try --help)", a.explainName(context, err))
}

// kingpin's errors about a flag or a word in a place where it can't be.
//
//nolint:gochecknoglobals // Constants in all but name.
var (
	unknownFlag = regexp.MustCompile(`^unknown long flag '--(.+)'$`)
	unexpected  = regexp.MustCompile(`^unexpected (.+)$`)
)

// explainName returns the error of a flag or a command that does not exist, with the one that was probably meant. It returns
// other errors as they are.
func (a *cli) explainName(context *kingpin.ParseContext, err error) error {
	if found := unknownFlag.FindStringSubmatch(err.Error()); found != nil {
		return fmt.Errorf("there is no flag --%s%s", found[1], suggest.Hint("--"+found[1], a.flagNames(context)))
	}
	found := unexpected.FindStringSubmatch(err.Error())
	if found == nil {
		return err
	}
	for _, arg := range a.Args {
		if flag, ok := strings.CutSuffix(arg, "="+found[1]); ok && strings.HasPrefix(arg, "--") {
			return fmt.Errorf("the flag %s takes no value: write %[1]s, or --no-%s for the opposite", flag, flag[2:])
		}
	}
	if context != nil && context.SelectedCommand != nil && context.SelectedCommand.Model().Name != serveName {
		return fmt.Errorf("unexpected argument %s", suggest.Quote(found[1]))
	}
	var names []string
	for _, c := range a.kingpin.Model().Commands {
		names = append(names, c.Name)
	}
	return fmt.Errorf("there is no such command: %w", suggest.NotOneOf(found[1], names))
}

// flagNames returns the flags of the command that was selected, which without one is serve.
func (a *cli) flagNames(context *kingpin.ParseContext) []string {
	command := serveName
	if context != nil && context.SelectedCommand != nil {
		command = context.SelectedCommand.Model().Name
	}
	model := a.kingpin.Model()
	flags := slices.Clone(model.Flags)
	for _, c := range model.Commands {
		if c.Name == command {
			flags = append(flags, c.Flags...)
		}
	}
	names := make([]string, len(flags))
	for i, f := range flags {
		names[i] = "--" + f.Name
	}
	return names
}

// wrongValue returns an error about the flag whose value caused err, or nil. Kingpin's own errors do not name the flag.
func wrongValue(context *kingpin.ParseContext, err error) error {
	if context == nil {
		return nil
	}
	for _, element := range context.Elements {
		flag, ok := element.Clause.(*kingpin.FlagClause)
		if !ok || element.Value == nil {
			continue
		}
		model := flag.Model()
		if again := model.Value.Set(*element.Value); again != nil && again.Error() == err.Error() {
			return fmt.Errorf("--%s: %w", model.Name, explainValue(model.Name, *element.Value, again))
		}
	}
	return nil
}

// explainValue returns what is wrong with the value of a flag, in the words of the errors about the configuration.
func explainValue(flag, value string, err error) error {
	if words, ok := allowedWords(flag, value, err); ok {
		return suggest.NotOneOf(value, words)
	}
	if number, ok := errors.AsType[*strconv.NumError](err); ok {
		switch number.Func {
		case "ParseBool":
			return suggest.NotOneOf(value, []string{"true", "false"})
		case "ParseFloat":
			return fmt.Errorf("%s is not a number", suggest.Quote(value))
		default:
			return fmt.Errorf("%s is not a whole number", suggest.Quote(value))
		}
	}
	if strings.HasPrefix(err.Error(), "time: ") {
		return new(drivers.Duration).UnmarshalText([]byte(value))
	}
	return err
}

// allowedWords returns the words that a flag allows, if it allows only some.
func allowedWords(flag, value string, err error) ([]string, bool) {
	switch flag {
	case promslogflag.LevelFlagName:
		return promslog.LevelFlagOptions, true
	case promslogflag.FormatFlagName:
		return promslog.FormatFlagOptions, true
	}
	words, ok := strings.CutPrefix(err.Error(), "enum value must be one of ")
	words, cut := strings.CutSuffix(words, ", got '"+value+"'")
	return strings.Split(words, ","), ok && cut
}
