package exposition

import (
	"encoding/binary"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// Numbers of the fields in client_model's metrics.proto.
const (
	pairName, pairValue                              = 1, 2
	metricLabel, metricGauge, metricCounter          = 1, 2, 3
	familyName, familyHelp, familyType, familyMetric = 1, 2, 3, 4
	numberValue                                      = 1 // of a Gauge and of a Counter
)

// numberSize is the size of a message with one double in it, fieldSize the size of the field that has this message.
const (
	numberSize = 1 + 8
	fieldSize  = 1 + 1 + numberSize
)

// protoFamily writes a family as a message, with its length before it. It iterates over the series twice, because it has to
// write the length first.
func (e *Encoder) protoFamily(f *Family) error {
	size, begun := 0, false
	for labels := range f.Series {
		begun = true
		n := len(labels.inProto()) + fieldSize
		size += 1 + protowire.SizeBytes(n)
	}
	if !begun {
		return nil
	}
	head := appendString(nil, familyName, f.Name)
	head = appendString(head, familyHelp, f.Help)
	head = protowire.AppendTag(head, familyType, protowire.VarintType)
	head = protowire.AppendVarint(head, uint64(f.kind()))
	if _, err := e.w.Write(protowire.AppendVarint(nil, uint64(len(head)+size))); err != nil {
		return err
	}
	if _, err := e.w.Write(head); err != nil {
		return err
	}
	number := protowire.Number(metricGauge)
	if f.Counter {
		number = metricCounter
	}
	for labels, value := range f.Series {
		fields := labels.inProto()
		metric := e.room(1 + binary.MaxVarintLen64 + len(fields) + fieldSize)
		metric = protowire.AppendTag(metric, familyMetric, protowire.BytesType)
		metric = protowire.AppendVarint(metric, uint64(len(fields)+fieldSize))
		metric = append(metric, fields...)
		metric = protowire.AppendTag(metric, number, protowire.BytesType)
		metric = protowire.AppendVarint(metric, numberSize)
		metric = protowire.AppendTag(metric, numberValue, protowire.Fixed64Type)
		metric = protowire.AppendFixed64(metric, math.Float64bits(value))
		if _, err := e.w.Write(metric); err != nil {
			return err
		}
	}
	return nil
}

func appendString(b []byte, number protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, number, protowire.BytesType), s)
}
