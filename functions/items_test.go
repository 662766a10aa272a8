package functions_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/anything-mcp/anything-mcp/functions"
)

func TestFromText(t *testing.T) {
	for _, c := range []struct {
		variable functions.Variable
		text     string
		want     string // "" for none
	}{
		{functions.Variable{Type: functions.String}, " a ", `" a "`},
		{functions.Variable{Type: functions.String}, "3", `"3"`},
		{functions.Variable{Type: functions.String}, " ", ""},
		{functions.Variable{Type: functions.String, Required: true}, "", `""`},
		{functions.Variable{Type: functions.Integer}, " 3", "3"},
		{functions.Variable{Type: functions.Integer}, "007", `"007"`},
		{functions.Variable{Type: functions.Integer}, "three", `"three"`},
		{functions.Variable{Type: functions.Integer, Required: true}, "", ""},
		{functions.Variable{Type: functions.Number}, "9007199254740993.5", "9007199254740993.5"},
		{functions.Variable{Type: functions.Boolean}, "TRUE", "true"},
		{functions.Variable{Type: functions.Boolean}, "false", "false"},
		{functions.Variable{Type: functions.Array}, `["a", 1]`, `["a", 1]`},
		{functions.Variable{Type: functions.Array}, `a, b`, `"a, b"`},
		{functions.Variable{Type: functions.Object}, `{"a":1}`, `{"a":1}`},
		{functions.Variable{Type: functions.Any}, `{"a":1}`, `"{\"a\":1}"`},
	} {
		got, ok := c.variable.FromText(c.text)
		if string(got) != c.want || ok != (c.want != "") {
			t.Errorf("%q as %s is %s, want %s", c.text, c.variable.Type, got, c.want)
		}
	}
}

func TestWithCommon(t *testing.T) {
	raw := func(texts ...string) (all []json.RawMessage) {
		for _, s := range texts {
			all = append(all, json.RawMessage(s))
		}
		return all
	}
	got, err := functions.WithCommon(json.RawMessage(`{"b":1,"a":9007199254740993}`), raw(`{"c":"<","b":2}`, `{}`, `{"a": [1 , 2]}`))
	want := raw(`{"a":9007199254740993,"b":2,"c":"<"}`, `{"a":9007199254740993,"b":1}`, `{"a":[1,2],"b":1}`)
	if err != nil || len(got) != len(want) {
		t.Fatalf("WithCommon = %s, %v", got, err)
	}
	for i := range want {
		if string(got[i]) != string(want[i]) {
			t.Errorf("item %d is %s, want %s", i, got[i], want[i])
		}
	}
	_, err = functions.WithCommon(nil, raw(`{}`, `null`, `[]`, `{"a":"`+strings.Repeat("x", functions.MaxVariables)+`"}`))
	wrong, ok := errors.AsType[*functions.ItemsError](err)
	if !ok || len(wrong.Problems) != 3 || wrong.Problems[0].Index != 1 || !strings.Contains(wrong.Error(), "items[3]: it has 257 KiB") {
		t.Errorf("the error is %v", err)
	}
}
